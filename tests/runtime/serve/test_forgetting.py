"""Forgetting in an output: the rows of the others stand, and nothing of who is forgotten is left."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine_runtime.artefacts.output import KIND, Output
from engine_runtime.artefacts.replacing import replacing
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.forgetting import forget_rows, look_up
from shops import Shop
from tiny import CONFIG, World, shop_events, shop_items

GONE = frozenset({"u03", "u08", "idle"})
NOBODY: frozenset[str] = frozenset()


@pytest.fixture
def served(world: World, engine: Engine, tmp_path: Path) -> Output:
    return serve_batch(engine, world.dataset, tmp_path / "output", top_k=5)[0]


def rows(output: Output) -> pa.Table:
    """All rows."""
    return pa.concat_tables(pq.read_table(output.part(number)) for number in range(output.info.n_parts))


def forget(
    output: Output, users: frozenset[str], items: frozenset[str] = NOBODY, parents: dict[str, str] | None = None
) -> dict[str, int]:
    """Forget in place."""
    with replacing(output.root, KIND) as draft:
        return forget_rows(output, users, items, parents or {}, draft)[1]


def test_the_output_is_what_serving_the_others_gives(engine: Engine, served: Output, tmp_path: Path) -> None:
    """Parts, state and facts are those of a data set that never held the users, byte for byte on this shop."""
    log = "".join(f"{x}\n" for x in shop_events(shop_items()).splitlines() if x.partition(",")[0] not in GONE)
    catalogue = "id,title,brand,price\n" + "".join(item.row for item in shop_items())
    dataset = Shop(tmp_path / "rest").ingest(log, catalogue, "user,sex,age\nu01,f,31\nu02,,40\n", CONFIG)
    expected = serve_batch(engine, dataset, tmp_path / "expected", top_k=5)[0]
    before = served.manifest.parents["dataset"]
    removed = forget(served, GONE, parents={before: dataset.manifest.digest})
    found = Output.open(served.root)
    assert removed == {"rows": 3, "states": 3, "gone": 0, "recommendations": 0}
    assert found.info == expected.info
    assert found.manifest.parents == expected.manifest.parents
    assert found.state.read_bytes() == expected.state.read_bytes()
    assert found.manifest.digest == expected.manifest.digest


def test_rows_of_the_others_stand(served: Output) -> None:
    """Bit by bit; a part that held none of them keeps its very file."""
    before = rows(served)
    files = {name: (served.root / name).stat().st_ino for name in served.manifest.files}
    forget(served, frozenset({"u03"}))
    found = Output.open(served.root)
    assert rows(found).equals(before.filter(pa.array([user != "u03" for user in before["user_id"].to_pylist()])))
    same = [name for name, inode in files.items() if (found.root / name).stat().st_ino == inode]
    assert len(same) == 2
    assert found.manifest.creator == served.manifest.creator


def test_an_id_leaves_the_list_of_who_is_gone(world: World, engine: Engine, served: Output, tmp_path: Path) -> None:
    """Outputs that chain name users who are gone; a forgotten one is not named."""
    log = "".join(f"{x}\n" for x in shop_events(shop_items()).splitlines() if not x.startswith(("u03", "u05")))
    catalogue = "id,title,brand,price\n" + "".join(item.row for item in shop_items())
    dataset = Shop(tmp_path / "rest").ingest(log, catalogue, "user,sex,age\nu01,f,31\nu02,,40\nidle,,17\n", CONFIG)
    later = serve_batch(engine, dataset, tmp_path / "later", top_k=5, since=served.root)[0]
    assert look_up(later, GONE, NOBODY).users == {"u03", "u08", "idle"}
    removed = forget(later, GONE, parents={served.manifest.digest: "f" * 64})
    found = Output.open(later.root)
    assert removed == {"rows": 0, "states": 2, "gone": 1, "recommendations": 0}
    assert pq.read_table(found.gone)["user_id"].to_pylist() == ["u05"]
    assert (found.info.n_gone, found.info.n_unchanged) == (1, later.info.n_unchanged - 2)
    assert found.manifest.parents["output"] == "f" * 64
    assert found.info.n_users == 0


def test_an_item_leaves_the_recommendations(served: Output) -> None:
    """Of everybody; what is recommended beside it keeps its order and scores."""
    before = rows(served)["recommendations"].to_pylist()
    item = before[0][0]["item_id"]
    expected = [[entry for entry in listed if entry["item_id"] != item] for listed in before]
    assert look_up(served, NOBODY, frozenset({item, "never"})).items == {item}
    removed = forget(served, NOBODY, frozenset({item}))
    assert rows(Output.open(served.root))["recommendations"].to_pylist() == expected
    assert removed["recommendations"] == sum(map(len, before)) - sum(map(len, expected))


def test_vectors_that_others_share_are_no_traces(served: Output) -> None:
    """Users without events all have one query, which says nothing of any of them."""
    assert look_up(served, frozenset({"idle"}), NOBODY).vectors == frozenset()
    found = look_up(served, frozenset({"u03"}), NOBODY).vectors
    row = rows(served).filter(pa.array([user == "u03" for user in rows(served)["user_id"].to_pylist()])).to_pylist()[0]
    assert found == {pa.array(row[name], pa.float32()).to_numpy().tobytes() for name in ("query", "concepts")}


def test_a_run_can_go_on_from_what_is_left(world: World, engine: Engine, served: Output, tmp_path: Path) -> None:
    """Whose row was dropped is new to the next run; nobody else is served again."""
    forget(served, frozenset({"u03"}))
    some = serve_batch(engine, world.dataset, tmp_path / "some", top_k=5, since=served.root)[0]
    assert rows(some)["user_id"].to_pylist() == ["u03"]


def test_a_block_that_fails_leaves_the_output(served: Output) -> None:
    """What is there stays whole, and nothing is left beside it."""

    def fail() -> None:
        with replacing(served.root, KIND) as draft:
            shutil.copytree(served.root, draft.path / "half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert Output.open(served.root).manifest == served.manifest
    assert [path.name for path in served.root.parent.iterdir()] == ["output"]
