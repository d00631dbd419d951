"""What a day goes on from is damaged, and sealed so: the day is refused by an `EngineError`, or served whole.

Data sets that are appended to, indexes that are gone on from, outputs that say who has changed. A sample runs with the
other tests; the variable DAMAGED_INPUTS says how many cases do, a fourth of its number here.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from damage import Chance, any_bytes, pick
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.manifest import MANIFEST
from engine_runtime.artefacts.output import Output
from engine_runtime.data.append import agreed_config, append, find_later
from engine_runtime.errors import ArtefactError, EngineError
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.indexing import make_index
from sealed import damage_one, files_of, reseal
from tiny import World

SEED, SAMPLE = 21, 48
GRAPH = IndexSettings("hnsw", m=8, ef_construction=50, ef=64)
TODAY = "user,item,type,place,time,value,quantity,price\nu03,i05,view,50,1700000000,4,,\nnew,n1,view,1,1700000200,,,\n"
NEW_ITEMS = "id,title,brand,price\nn1,red lamp,Ada,4\n"


@dataclass(frozen=True)
class Days:
    """The world yesterday, and a day's files."""

    world: World
    files: tuple[Path, Path]
    graph: IndexArtefact
    output: Output

    def today(self, before: Dataset, out: Path) -> Dataset:
        """`before` with the day's files."""
        config = agreed_config(before)
        return append(before, config, find_later(config, [self.files[0]], [self.files[1]], []), out, threads=1)

    def check(self, served: Output) -> None:
        """Every user is served or stands."""
        assert served.info.n_users + served.info.n_unchanged == self.world.dataset.info.n_users + 1
        assert len(pq.read_table(served.root / "users")) == served.info.n_users


@pytest.fixture(scope="module")
def days(world: World, tmp_path_factory: pytest.TempPathFactory) -> Days:
    root = tmp_path_factory.mktemp("days")
    files = root / "today.csv", root / "items.csv"
    for path, text in zip(files, (TODAY, NEW_ITEMS), strict=True):
        path.write_text(text)
    graph = make_index(Engine.load(world.bundle.root, threads=1), world.dataset, root / "graph", GRAPH)
    output, _ = serve_batch(world.engine(), world.dataset, root / "output")
    return Days(world, files, graph, output)


@pytest.fixture(scope="module")
def today(days: Days, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return days.today(days.world.dataset, tmp_path_factory.mktemp("today") / "dataset")


def cases() -> range:
    """Numbers of the cases to run."""
    return range(int(os.environ.get("DAMAGED_INPUTS", SAMPLE)) // 4)


@pytest.mark.parametrize("case", cases())
def test_a_damaged_data_set_is_appended_to(case: int, days: Days, tmp_path: Path) -> None:
    """It is refused, or is a data set whose users are all served."""
    before = damaged(days.world.dataset.root, tmp_path / "before", case)
    try:
        dataset = days.today(Dataset.open(before), tmp_path / "today")
        served, _ = serve_batch(days.world.engine(), dataset, tmp_path / "out", since=days.output.root)
    except EngineError:
        return
    days.check(served)


@pytest.mark.parametrize("case", cases())
def test_a_damaged_index_is_gone_on_from(case: int, days: Days, today: Dataset, tmp_path: Path) -> None:
    """It is refused, or gives an index that serves."""
    base = damaged(days.graph.root, tmp_path / "base", case)
    try:
        engine = Engine.load(days.world.bundle.root, threads=1)
        make_index(engine, today, tmp_path / "index", GRAPH, base=IndexArtefact.open(base))
        engine = Engine.load(days.world.bundle.root, tmp_path / "index", threads=1)
        served, _ = serve_batch(engine, today, tmp_path / "out")
    except EngineError:
        return
    days.check(served)


@pytest.mark.parametrize("case", cases())
def test_a_damaged_output_says_who_has_changed(case: int, days: Days, today: Dataset, tmp_path: Path) -> None:
    """It is refused, or every user who is not among those that it knows is served."""
    previous = damaged(days.output.root, tmp_path / "previous", case)
    try:
        served, _ = serve_batch(days.world.engine(), today, tmp_path / "out", since=previous)
    except EngineError:
        return
    days.check(served)


@pytest.mark.parametrize("case", cases())
def test_files_of_a_day_are_not_opened_damaged(case: int, days: Days, today: Dataset, tmp_path: Path) -> None:
    """A file that is other than its digest is refused: those of graphs, of states, and of who is gone."""
    chance = chance_of(case)
    since, _ = serve_batch(days.world.engine(), today, tmp_path / "since", since=days.output.root)
    kind, root = pick(chance, [(Dataset, today.root), (IndexArtefact, days.graph.root), (Output, since.root)])
    copy = shutil.copytree(root, tmp_path / "copy")
    path = pick(chance, [path for path in files_of(copy) if path.name != MANIFEST])
    path.write_bytes(any_bytes(path.read_bytes(), chance))
    with pytest.raises(ArtefactError):
        kind.open(copy)


def chance_of(case: int) -> Chance:
    """Case n is the same wherever it runs."""
    return np.random.default_rng([SEED, case])


def damaged(root: Path, copy: Path, case: int) -> Path:
    """A copy of an artefact with one damaged file, sealed."""
    shutil.copytree(root, copy)
    damage_one(files_of(copy), chance_of(case))
    reseal(copy)
    return copy
