"""The kinds of artefacts: each opens as its dataclass, and knows where its files are."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import tiny
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset, Scale
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.manifest import MANIFEST
from engine_runtime.artefacts.output import Output, OutputInfo
from engine_runtime.artefacts.released import Erasure, Noise, Released, ReleasedInfo
from engine_runtime.artefacts.run import Fusion, Run, RunInfo
from engine_runtime.artefacts.writing import drafting
from engine_runtime.errors import ArtefactError

RUN = RunInfo(
    shape=tiny.SHAPE,
    settings={"dim": 6, "rate": 0.5, "name": "x", "on": True},
    encoder_path="encoder",
    dataset_path="dataset",
    precision="fp32",
    value=Scale(0.0, 1.0, False),
    gap=Scale(0.0, 1.0, True),
    event_types=("view",),
    event_weights=(1.0,),
    fusion=Fusion(0.5, 0.7, 3, 10),
    validation={"ndcg@10": 0.25},
    epochs=3,
    best_epoch=2,
    train_seconds=1.5,
)
OUTPUT = OutputInfo(3, 9, 0, 1, 10, "fp32", "cpu", 1)
RELEASED = ReleasedInfo(
    *(3, 1, "keyed", ("habits",)),
    noise=Noise("gaussian", 1.0, 1e-6, 5.0, 1.4, "one history"),
    erasure=Erasure("leace, cross-fitted", ("sex",), ("concepts", "query"), 3, 5, 1),
)
KINDS: list[tuple[str, Any, Any]] = [
    ("run", Run, RUN),
    ("output", Output, OUTPUT),
    ("encoder", EncoderArtefact, tiny.ENCODER),
    ("bundle", Bundle, tiny.BUNDLE),
    ("released", Released, RELEASED),
]


@pytest.mark.parametrize(("kind", "opener", "info"), KINDS)
def test_facts_come_back(tmp_path: Path, kind: str, opener: Any, info: Any) -> None:
    """Facts are read as they were written, tuples, nested dataclasses and all."""
    with drafting(tmp_path / kind, kind) as draft:
        sealed = draft.seal(info)
    opened = opener.open(tmp_path / kind)
    assert opened.info == info
    assert opened.manifest.digest == sealed.digest
    with pytest.raises(ArtefactError, match="was looked for"):
        Dataset.open(tmp_path / kind)


def test_files_are_where_the_dataclass_says(world: tiny.World) -> None:
    """Every file of a manifest is one that a property of its artefact names, and the reverse."""
    bundle, dataset, index = world.bundle, world.dataset, world.index
    named = {
        bundle.root: {
            *(bundle.tokenizer, bundle.concepts, bundle.items, bundle.residuals, bundle.successors, bundle.parity),
            bundle.query,
            bundle.centres,
            *(bundle.encoder(precision) for precision in bundle.info.precisions),
            *(bundle.refiner(precision) for precision in bundle.info.precisions),
        },
        dataset.root: {
            dataset.items,
            dataset.users,
            dataset.rejects,
            *(dataset.config, dataset.fingerprints),
            *map(dataset.bucket, range(dataset.info.n_buckets)),
            *map(dataset.orders, range(dataset.info.n_buckets)),
        },
        index.root: {index.items, index.vectors, index.newcomers, index.untrained},
    }
    for artefact in (bundle, dataset, index):
        assert {artefact.root / name for name in artefact.manifest.files} == named[artefact.root]
    assert index.graph.name == "hnsw.bin"


def test_paths_of_run_encoder_and_output(tmp_path: Path) -> None:
    """Files lie inside the artefact, each under a name of its own."""
    for kind, _, info in KINDS[:3]:
        with drafting(tmp_path / kind, kind) as draft:
            draft.seal(info)
    run, encoder, output = (
        Run.open(tmp_path / "run"),
        EncoderArtefact.open(tmp_path / "encoder"),
        Output.open(tmp_path / "output"),
    )
    paths = [run.weights, run.concepts, run.items, run.successors, run.vectors]
    paths += [encoder.tokenizer, encoder.parity, encoder.graph("int8"), encoder.graph("fp32")]
    paths += [output.part(0), output.part(12)]
    assert len({str(path) for path in paths}) == len(paths)
    assert output.part(12).name == "part-0012.parquet"
    assert RUN.fusion.alone() == dataclasses.replace(RUN.fusion, weight=0.0, bonus=0.0)


def test_a_damaged_artefact_does_not_open(world: tiny.World, tmp_path: Path) -> None:
    """Each kind verifies before it is used."""
    for opener, root in ((Bundle, world.bundle.root), (Dataset, world.dataset.root), (IndexArtefact, world.index.root)):
        copy = tmp_path / root.name
        copy.mkdir()
        for path in root.rglob("*"):
            if path.is_file():
                (copy / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
                (copy / path.relative_to(root)).write_bytes(path.read_bytes())
        opener.open(copy)
        victim = next(path for path in sorted(copy.rglob("*")) if path.is_file() and path.name != MANIFEST)
        victim.write_bytes(victim.read_bytes()[:-1])
        with pytest.raises(ArtefactError, match="damaged"):
            opener.open(copy)
