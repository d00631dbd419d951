"""What a comparison of refiners is made on: a bundle, its run and a data set; knows nothing of processes."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine_bench.fingerprint import LIBRARIES, SHOWN_FEATURES, installed
from engine_bench.refiners.contest import EXACT, Contender, Given, Row, compete
from engine_export.parity import read_report
from engine_models.corpus import evenly
from engine_models.systems import learned_vectors
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.manifest import check_parent
from engine_runtime.artefacts.run import Run
from engine_runtime.data.histories import model_inputs, read_histories
from engine_runtime.errors import InputError
from engine_runtime.inference.machine import this_machine


@dataclass(frozen=True)
class Found:
    """What came out: of which machine and bundle, over how many users and events, and why some did not take part."""

    machine: dict[str, str]
    parity: dict[str, str]
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
    tell: Callable[[str], None],
) -> Found:
    """Compare the refiner of a bundle with others on histories of a data set, at most `users` of them.

    Raises
    ------
    ArtefactError
        The run is not the bundle's.
    InputError
        No user has an ordered event.
    """
    bundle, run = Bundle.open(bundle_root), Run.open(run_root)
    check_parent(bundle.root, bundle.manifest, "run", run.manifest.digest)
    histories, info = read_histories(Dataset.open(dataset_root)), bundle.info
    some = np.flatnonzero(histories.n_ordered)
    if not len(some):
        raise InputError(f"{dataset_root} has no ordered event.")
    rows = some[evenly(len(some), users or len(some))]
    inputs = model_inputs(histories.take(rows), info.value, info.gap, info.shape.max_events)
    vectors = learned_vectors(run)
    given = Given(info.shape, str(bundle.root), str(run.root))
    found, left_out = compete(_contenders(info.precision, replay), given, inputs, vectors, rounds, tell)
    machine = this_machine()
    features = ", ".join(name for name in SHOWN_FEATURES if name in machine.features)
    return Found(
        machine={
            "processor": f"{machine.processor}, {machine.cpus} CPUs, of which one is used ({features})",
            "libraries": ", ".join(f"{name} {number}" for name, number in installed(LIBRARIES).items()),
            "bundle": bundle.manifest.digest,
        },
        parity=_parity(bundle),
        users=len(rows),
        events=len(inputs.items),
        rows=tuple(found),
        left_out=left_out,
    )


def _contenders(served: str, replay: Path | None) -> dict[str, Contender]:
    ours = {f"ours-{served}": served, f"ours-{served}-top10": f"{served}-top10", EXACT: "fp32", "torch": "torch"}
    found = {name: Contender(sys.executable, "engine_contender.py", variant) for name, variant in ours.items()}
    if replay is not None:
        found |= {
            f"replay-{variant}": Contender(str(replay), "replay_contender.py", variant)
            for variant in ("scores", "top10")
        }
    return found


def _parity(bundle: Bundle) -> dict[str, str]:
    report = read_report(bundle.parity.read_bytes())
    return {
        name: ", ".join(f"{key} {value:.5f}" for key, value in dataclasses.asdict(each).items() if value is not None)
        for name, each in report.refiner.items()
    }
