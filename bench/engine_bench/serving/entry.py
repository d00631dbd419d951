"""What whole nights are compared on: a bundle, and users of the data set that it was made from; knows no processes."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from engine_bench.fingerprint import Surroundings
from engine_bench.rounds import Tell
from engine_bench.seat import Contender
from engine_bench.serving.asked import ask
from engine_bench.serving.contest import OURS, Row, compete
from engine_bench.serving.night import Given
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.manifest import check_parent
from engine_runtime.errors import UsageError

HERE = Path(__file__).parent
JOINED, MEAN, LARGE = "sentence-joined", "sentence-mean", "large-joined"
PEERS = {JOINED: "joined", MEAN: "mean", LARGE: "large"}


@dataclass(frozen=True)
class Setting:
    """How it is measured.

    Attributes
    ----------
    users
        Most users served, chosen evenly among those with a test event.
    weights
        Model folder that sentence-transformers runs.
    large
        Model folder of an encoder of BERT's size; random weights if None.
    large_users, large_items
        Most that it reads, once and not in rounds; all items if None. Without all of them its lists are not judged.
    threads
        That each may keep busy.
    rounds
        Turns of each of the others.
    """

    users: int
    weights: Path
    large: Path | None
    large_users: int
    large_items: int | None
    threads: int
    rounds: int


@dataclass(frozen=True)
class Found:
    """What came out.

    Attributes
    ----------
    machine
        What it was measured on.
    bundle, dataset
        Digests.
    users, events, items, threads
        Asked for, their events, the catalogue, and what each could keep busy.
    large
        The model folder of `LARGE`; None for random weights.
    rows
        The contenders that ran, ours first.
    left_out
        Why the others did not, by name.
    """

    machine: Surroundings
    bundle: str
    dataset: str
    users: int
    events: int
    items: int
    threads: int
    large: str | None
    rows: tuple[Row, ...]
    left_out: dict[str, str]


def contest(bundle_root: Path, dataset_root: Path, peers: Collection[str], setting: Setting, tell: Tell) -> Found:
    """Compare nights of a bundle with those of `peers`, names of `PEERS`.

    Raises
    ------
    ArtefactError
        The bundle was not made from the data set: it may have learned what is asked for.
    UsageError
        A peer is unknown.
    InputError
        No user has a test event.
    """
    if unknown := sorted(set(peers) - set(PEERS)):
        raise UsageError(f"unknown peer '{unknown[0]}'; there are {', '.join(PEERS)}.")
    bundle, dataset = Bundle.open(bundle_root), Dataset.open(dataset_root)
    check_parent(bundle.root, bundle.manifest, "dataset", dataset.manifest.digest)
    with tempfile.TemporaryDirectory(prefix="engine-bench-") as scratch:
        folder = Path(scratch)
        asked = ask(dataset, setting.users, folder / "asked")
        info = asked.dataset.info
        _given(bundle, asked.dataset, setting).write(folder)
        rows: list[Row] = []
        left_out: dict[str, str] = {}
        for names, rounds in (([name for name in PEERS if name != LARGE], setting.rounds), ([LARGE], 1)):
            here = {name: _contender(name) for name in (OURS, *names) if name == OURS or name in peers}
            if len(here) > 1:
                found, out = compete(here, folder, setting.threads, asked.targets, info.n_items, rounds, tell)
                rows += found if not rows else found[1:]  # ours runs in both, to be compared within the rounds
                left_out |= out
    return Found(
        machine=Surroundings.here(),
        bundle=bundle.manifest.digest,
        dataset=dataset.manifest.digest,
        users=info.n_users,
        events=info.n_events,
        items=info.n_items,
        threads=setting.threads,
        large=setting.large.name if setting.large else None,
        rows=tuple(rows),
        left_out=left_out,
    )


def _given(bundle: Bundle, asked: Dataset, setting: Setting) -> Given:
    return Given(
        bundle=str(bundle.root.absolute()),
        dataset=str(asked.root),
        weights=str(setting.weights),
        large=str(setting.large.absolute()) if setting.large else None,
        large_items=min(setting.large_items or asked.info.n_items, asked.info.n_items),
        large_users=setting.large_users,
        threads=setting.threads,
    )


def _contender(name: str) -> Contender:
    if name == OURS:
        return Contender(sys.executable, str(HERE / "engine_contender.py"), "auto")
    return Contender(sys.executable, str(HERE / "sentence_contender.py"), PEERS[name])
