"""Runs and bundles as an evaluation's systems: opened, matched with their indexes, seeds of one recipe put together.

Knows artefacts; knows nothing of how they rank. Runs whose settings differ in the seed alone are seeds of one system;
so are their bundles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from engine_models.corpus import Corpus
from engine_models.evaluation import System
from engine_models.systems import bundle_system, run_ablations, run_system
from engine_runtime import Engine
from engine_runtime.artefacts.bundle import KIND as BUNDLE
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.manifest import artefact_kind, check_parent
from engine_runtime.artefacts.run import KIND as RUN
from engine_runtime.artefacts.run import Run
from engine_runtime.data.schema import TRAINED
from engine_runtime.errors import UsageError

ALONE = "model alone, fp32 exact"
WHOLE = "model, fp32 exact"


@dataclass(frozen=True)
class Entry:
    """A run, or a bundle with its index, that takes part.

    Attributes
    ----------
    opened
        The artefact.
    index
        Of the bundle; None for a run.
    recipe
        Equal for seeds of one recipe and for nothing else.
    """

    opened: Run | Bundle
    index: Path | None
    recipe: str


@dataclass
class Group:
    """Seeds of one recipe: their paths, and by row a system for each."""

    paths: list[Path] = field(default_factory=list)
    systems: dict[str, list[System]] = field(default_factory=dict)


def open_entries(models: Sequence[Path], indexes: Sequence[Path], dataset: Dataset) -> list[Entry]:
    """Open what takes part.

    Parameters
    ----------
    models
        Runs and bundles.
    indexes
        One for each bundle, in any order: an index knows its bundle's digest.
    dataset
        What they are judged on.

    Raises
    ------
    UsageError
        A path is neither run nor bundle, two are the same, or a bundle lacks its index.
    ArtefactError
        Something is damaged, or belongs to another data set.
    """
    shelves = [IndexArtefact.open(path, verify=False) for path in indexes]
    for shelf in shelves:
        check_parent(shelf.root, shelf.manifest, "dataset", dataset.manifest.digest)
    found = [_open(path) for path in models]
    _check_distinct(found)
    recipes = {run.manifest.digest: _recipe(run) for run in found if isinstance(run, Run)}
    entries = []
    for opened in found:
        if isinstance(opened, Run):
            check_parent(opened.root, opened.manifest, "dataset", dataset.manifest.digest)
            entries.append(Entry(opened, None, recipes[opened.manifest.digest]))
        else:
            recipe = recipes.get(opened.manifest.parents.get(RUN, ""), opened.manifest.digest)
            entries.append(Entry(opened, _index_of(opened, shelves), recipe))
    return entries


def as_trained(entries: Sequence[Entry], corpus: Corpus) -> Corpus:
    """The corpus without the events that the training of the entries did not see.

    Raises
    ------
    UsageError
        They have not been trained on the same items.
    """
    masks = [pq.read_table(entry.opened.items)[TRAINED].to_numpy() for entry in entries]
    if any(not np.array_equal(mask, masks[0]) for mask in masks):
        raise UsageError("these runs and bundles withheld different items from training. Evaluate them one by one.")
    return corpus.withholding((corpus.popularity > 0) & ~masks[0])


def systems_of(
    entries: Sequence[Entry], corpus: Corpus, precision: str, *, ablations: bool = False
) -> dict[str, list[System]]:
    """Systems by the name of their row, each with its seeds; names say the recipe where there are several."""
    groups: dict[str, Group] = {}
    for entry in entries:
        group = groups.setdefault(entry.recipe, Group())
        group.paths.append(entry.opened.root)
        for name, system in _systems(entry, corpus, precision, ablations=ablations).items():
            group.systems.setdefault(name, []).append(system)
    names = [entry.opened.root.name for entry in entries]
    alike = len(set(names)) < len(names)
    rows: dict[str, list[System]] = {}
    for group in groups.values():
        paths = ", ".join(str(path) if alike else path.name for path in group.paths)
        rows |= {(f"{paths}: {name}" if len(groups) > 1 else name): seeds for name, seeds in group.systems.items()}
    return rows


def directions_of(entry: Entry) -> npt.NDArray[np.float32]:
    """Directions of the catalogue's whitened texts, float32 [items, w], as a run or a bundle's index holds them."""
    if isinstance(entry.opened, Bundle) and entry.index is not None:
        path = IndexArtefact.open(entry.index).vectors
    else:
        path = cast(Run, entry.opened).vectors
    vectors: npt.NDArray[np.float32] = np.load(path, allow_pickle=False)
    return vectors[:, entry.opened.info.shape.dim :]


def _open(path: Path) -> Run | Bundle:
    kind = artefact_kind(path)
    if kind == RUN:
        return Run.open(path)
    if kind == BUNDLE:
        return Bundle.open(path)
    raise UsageError(f"{path} holds the artefact '{kind}'; a run or a bundle can be evaluated.")


def _check_distinct(found: Sequence[Run | Bundle]) -> None:
    roots: dict[str, Path] = {}
    for opened in found:
        other = roots.setdefault(opened.manifest.digest, opened.root)
        if other is not opened.root:
            raise UsageError(f"{other} and {opened.root} hold the same {opened.manifest.kind}. Name each one once.")


def _index_of(bundle: Bundle, shelves: Sequence[IndexArtefact]) -> Path:
    for shelf in shelves:
        if shelf.manifest.parents.get(BUNDLE) == bundle.manifest.digest:
            return shelf.root
    if shelves:
        check_parent(shelves[0].root, shelves[0].manifest, BUNDLE, bundle.manifest.digest)
    raise UsageError(f"{bundle.root} is a bundle and is evaluated as it serves: name its index with --index.")


def _recipe(run: Run) -> str:
    settings = {name: value for name, value in run.info.settings.items() if name != "seed"}
    return msgspec.json.encode([settings, run.info.precision, run.manifest.parents], order="sorted").decode()


def _systems(entry: Entry, corpus: Corpus, precision: str, *, ablations: bool) -> dict[str, System]:
    if isinstance(entry.opened, Bundle):
        engine = Engine.load(entry.opened.root, entry.index, precision)
        return {f"as served, {engine.precision} {engine.shelf.index.method}": bundle_system(engine, corpus)}
    run = entry.opened
    found = {ALONE: run_system(run, corpus, fused=False), WHOLE: run_system(run, corpus)}
    return found | (run_ablations(run, corpus) if ablations else {})
