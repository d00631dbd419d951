"""What a comparison of refiners is made on: a bundle, its run and a data set; knows nothing of processes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine_bench.fingerprint import Surroundings
from engine_bench.refiners.contest import EXACT, Given, Row, compete
from engine_bench.rounds import Tell
from engine_bench.seat import Contender
from engine_export.parity import RefinerParity, read_report
from engine_models.corpus import evenly
from engine_models.systems import learned_vectors
from engine_runtime.artefacts.bundle import Bundle, BundleInfo
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.manifest import check_parent
from engine_runtime.artefacts.run import Run
from engine_runtime.data.inputs import ModelInputs, model_inputs
from engine_runtime.data.stored import read_histories
from engine_runtime.errors import InputError, UsageError

HERE = Path(__file__).parent
REPLAY_ABSENT = "no Python of an environment with it was given; --replay takes one"


@dataclass(frozen=True)
class Found:
    """What came out.

    Attributes
    ----------
    machine
        What it was measured on.
    bundle
        Digest of the bundle.
    parity
        Of its refiner's variants, from its report.
    users, events
        How many each contender read.
    rows
        The contenders that ran, ours first.
    left_out
        Why the others did not, by name.
    """

    machine: Surroundings
    bundle: str
    parity: dict[str, RefinerParity]
    users: int
    events: int
    rows: tuple[Row, ...]
    left_out: dict[str, str]


def contest(
    bundle_root: Path,
    run_root: Path,
    dataset_root: Path,
    users: int | None,
    replay: Path | None,
    rounds: int,
    tell: Tell,
) -> Found:
    """Compare the refiner of a bundle with others on histories of the data set that it was trained on.

    Parameters
    ----------
    bundle_root, run_root, dataset_root
        Folders of the three; they belong together.
    users
        Most users to refine, chosen evenly; all if None.
    replay
        Python of an environment with RePlay; it is left out if None.
    rounds
        How often each contender has its turn.
    tell
        Told what happens, a line at a time.

    Raises
    ------
    ArtefactError
        The run is not the bundle's, or the data set not the run's.
    UsageError
        The bundle has no float32 refiner.
    InputError
        No user has an ordered event.
    """
    bundle, run, dataset = Bundle.open(bundle_root), Run.open(run_root), Dataset.open(dataset_root)
    check_parent(bundle.root, bundle.manifest, "run", run.manifest.digest)
    check_parent(run.root, run.manifest, "dataset", dataset.manifest.digest)
    served, inputs = _served(bundle), _inputs(dataset, bundle.info, users)
    given = Given(bundle.info.shape, str(bundle.root), str(run.root))
    rows, left_out = compete(_contenders(served, replay), given, inputs, learned_vectors(run), rounds, tell)
    return Found(
        machine=Surroundings.here(),
        bundle=bundle.manifest.digest,
        parity=read_report(bundle.parity.read_bytes()).refiner,
        users=len(inputs.offsets) - 1,
        events=len(inputs.items),
        rows=tuple(rows),
        left_out=left_out if replay is not None else left_out | {"replay": REPLAY_ABSENT},
    )


def _served(bundle: Bundle) -> str:
    """The variant that serves."""
    info = bundle.info
    if "fp32" not in info.precisions:
        raise UsageError(
            f"the bundle in {bundle.root} has no float32 refiner to compare with; it has {', '.join(info.precisions)}. "
            "Export the run again with --precision int8,fp32."
        )
    return info.precision if info.precision in info.precisions else info.precisions[0]


def _inputs(dataset: Dataset, info: BundleInfo, users: int | None) -> ModelInputs:
    """Histories of at most `users` users, as the refiner reads them."""
    histories = read_histories(dataset)
    some = np.flatnonzero(histories.n_ordered)
    if not len(some):
        raise InputError(f"{dataset.root} has no ordered event. Check the time or order column in its TOML.")
    chosen = histories.take(some[evenly(len(some), users or len(some))])
    return model_inputs(chosen, info.value, info.gap, info.shape.max_events)


def _contenders(served: str, replay: Path | None) -> dict[str, Contender]:
    ours = {f"ours-{served}": served, f"ours-{served}-top10": f"{served}-top10", EXACT: "fp32", "torch": "torch"}
    found = {
        name: Contender(sys.executable, str(HERE / "engine_contender.py"), variant) for name, variant in ours.items()
    }
    if replay is not None:
        found |= {
            f"replay-{variant}": Contender(str(replay), str(HERE / "replay_contender.py"), variant)
            for variant in ("scores", "top10")
        }
    return found
