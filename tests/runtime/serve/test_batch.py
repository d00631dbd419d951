"""Serving every user of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tiny
from engine_runtime.artefacts.output import Output
from engine_runtime.data import reading
from engine_runtime.data.stored import read_histories, read_users
from engine_runtime.errors import ArtefactError, UsageError
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.bucket import adapt
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.output import schema
from shops import Shop
from tiny import World


def rows(output: Output) -> list[dict[str, Any]]:
    """All rows, part by part."""
    parts = [pq.read_table(output.part(number)) for number in range(output.info.n_parts)]
    assert all(part.schema.equals(schema(tiny.SHAPE.item_dim, tiny.SHAPE.n_concepts)) for part in parts)
    found: list[dict[str, Any]] = pa.concat_tables(parts).to_pylist()
    return found


@pytest.fixture(scope="module")
def output(world: World, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Output:
    return serve_batch(engine, world.dataset, tmp_path_factory.mktemp("served") / "output", top_k=5)[0]


def test_every_user_has_one_row(world: World, output: Output) -> None:
    """Users come once each, in their order, with what is known of them; counts and parents are on record."""
    found = rows(output)
    users = read_users(world.dataset)
    assert [row["user_id"] for row in found] == users["user_id"].to_pylist()
    assert [row["n_events"] for row in found] == users["n_events"].to_pylist()
    assert {row["as_of"].timestamp() for row in found} == {world.dataset.info.last_time}
    info = Output.open(output.root).info
    assert (info.n_users, info.n_events, info.n_new_items, info.n_parts) == (23, world.dataset.info.n_events, 0, 3)
    assert info.n_without_events == 1
    made_of = (world.bundle, world.dataset, world.index)
    assert output.manifest.parents == {part.manifest.kind: part.manifest.digest for part in made_of}
    basics = {row["user_id"]: [tuple(basic.values()) for basic in row["basics"]] for row in found}
    assert basics["u01"] == [("sex", "f", None), ("age", "31", None)]
    assert basics["idle"] == [("age", "17", None)]
    assert basics["u07"] == []


def test_rows_are_what_the_engine_says(world: World, engine: Engine, output: Output) -> None:
    """Vectors, interests and recommendations are those of the Python door."""
    histories = read_histories(world.dataset)
    profiles = engine.profile(histories)
    ranking = engine.recommend(profiles, 5)
    ids = engine.shelf.catalogue["item_id"].to_pylist()
    for user, row in enumerate(rows(output)):
        assert np.allclose(row["query"], profiles.query[user], atol=1e-6)
        assert np.allclose(row["concepts"], profiles.concepts[user], atol=1e-6)
        kept = ranking.items[user][ranking.items[user] >= 0]
        assert [item["item_id"] for item in row["recommendations"]] == [ids[item] for item in kept]
        if row["n_events"] == 0:
            assert row["interests"] == []
        elif histories.take([user]).ordered.any():
            strongest = int(profiles.concepts[user].argmax())
            assert row["interests"][0]["name"] == f"concept {strongest}"
            assert sum(share["weight"] for share in row["interests"]) == pytest.approx(1, abs=1e-5)
        assert row["spending"] is None or row["spending"]["quantity"] != 0 or row["spending"]["total"] is not None


def test_blocks_and_threads_change_nothing(
    world: World, output: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of another size and more workers give the same rows; all users are reported as done."""
    monkeypatch.setattr(reading, "BLOCK_USERS", 3)
    done: list[int] = []
    again, stages = serve_batch(world.engine(2), world.dataset, tmp_path / "output", top_k=5, advance=done.append)
    assert sum(done) == 23
    assert max(done) == 3
    assert set(stages.seconds) == {"prepare", "read", "refine", "rank", "facets", "write", "commit"}
    for left, right in zip(rows(again), rows(output), strict=True):
        assert np.allclose(left.pop("query"), right.pop("query"), atol=1e-6)
        assert np.allclose(left.pop("concepts"), right.pop("concepts"), atol=1e-6)
        assert [item["item_id"] for item in left.pop("recommendations")] == [
            item["item_id"] for item in right.pop("recommendations")
        ]
        assert [share["name"] for share in left.pop("interests")] == [share["name"] for share in right.pop("interests")]
        assert left == right


def test_the_same_run_gives_the_same_digest(world: World, engine: Engine, output: Output, tmp_path: Path) -> None:
    """Output is a function of its parents and settings, byte for byte."""
    again, _ = serve_batch(engine, world.dataset, tmp_path / "output", top_k=5)
    assert again.manifest.digest == output.manifest.digest


def test_items_new_to_the_index_are_read(world: World, engine: Engine, tmp_path: Path) -> None:
    """A later data set's new items count in histories and are never recommended; items that are gone do no harm."""
    items = [*tiny.shop_items()[2:], tiny.Item("new1", "red lamp", "Ada", "3"), tiny.Item("new2", "blue chair", "", "")]
    events = "user,item,type,place,time,value,quantity,price\n" + "".join(
        f"{user},{item},buy,{place},{1_700_000_000 + place},,2,4.5\n"
        for user, bought in {"old": ["i05", "i06"], "mixed": ["i05", "new1"], "new": ["new1"]}.items()
        for place, item in enumerate(bought)
    )
    later = tiny.ingest_shop(tmp_path / "later", items, events)
    source = adapt(engine, later)
    assert source.n_new == 1  # new2 was met by nobody
    output, _ = serve_batch(engine, later, tmp_path / "output", top_k=4)
    found = {row["user_id"]: row for row in rows(output)}
    assert output.info.n_new_items == 1
    shown = {name: [item["item_id"] for item in row["recommendations"]] for name, row in found.items()}
    assert {item for items in shown.values() for item in items} <= {item.id for item in tiny.shop_items()}
    assert "i05" not in shown["mixed"]
    assert found["new"]["interests"]
    assert shown["new"] != shown["idle"]
    assert found["new"]["spending"]["total"] == pytest.approx(9.0)
    assert found["new"]["spending"]["brands"] == []
    shelf = source.engine.shelf
    query, _ = tiny.refined(shelf.vectors[-1:], [1], np.zeros(1, np.float32), np.zeros(1, np.float32))
    likeness = engine.info.fusion.text_weight * tiny.encoded(["red lamp"])[0]
    assert np.allclose(found["new"]["query"], np.concatenate((query, likeness)), atol=1e-5)


def test_only_what_may_be_replaced_is(world: World, engine: Engine, tmp_path: Path) -> None:
    """An output that is there stays, unless asked; a failure leaves nothing."""
    serve_batch(engine, world.dataset, tmp_path / "output")
    with pytest.raises(UsageError, match="--force"):
        serve_batch(engine, world.dataset, tmp_path / "output")
    serve_batch(engine, world.dataset, tmp_path / "output", top_k=1, replace=True)
    assert Output.open(tmp_path / "output").info.top_k == 1

    def stop(users: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve_batch(engine, world.dataset, tmp_path / "other", advance=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


@pytest.mark.parametrize("buckets", [1, 2])
def test_finished_buckets_are_not_served_again(
    world: World, engine: Engine, output: Output, tmp_path: Path, buckets: int
) -> None:
    """A run that is stopped after some buckets goes on with the others, and ends with the same bytes."""
    ends = world.dataset.info.bucket_users

    class Stop:
        """Raises once the first bucket after `buckets` has been served, before it is committed."""

        done = 0

        def __call__(self, users: int) -> None:
            self.done += users
            if self.done > ends[buckets]:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve_batch(engine, world.dataset, tmp_path / "output", top_k=5, advance=Stop())
    assert [path.name for path in tmp_path.iterdir()] == ["output.unfinished"]
    again, stages = serve_batch(engine, world.dataset, tmp_path / "output", top_k=5, resume=True)
    assert stages.users == ends[-1] - ends[buckets]
    assert again.manifest == output.manifest
    assert [path.name for path in tmp_path.iterdir()] == ["output"]
    served = [path.stat().st_mtime_ns for path in sorted((tmp_path / "output").rglob("*"))]
    finished, stages = serve_batch(engine, world.dataset, tmp_path / "output", top_k=5, resume=True)
    assert (finished.manifest, stages.users) == (output.manifest, 0)
    assert served == [path.stat().st_mtime_ns for path in sorted((tmp_path / "output").rglob("*"))]
    with pytest.raises(UsageError, match="--force"):
        serve_batch(engine, world.dataset, tmp_path / "output", top_k=4, resume=True)


def test_other_event_types_are_refused(engine: Engine, tmp_path: Path) -> None:
    """A data set that numbers its types otherwise is not served."""
    swapped = tiny.CONFIG.replace("view = 1.0\nbuy = 2.0", "buy = 2.0\nview = 1.0")
    items = "id,title,brand,price\ni05,red,,\n"
    dataset = Shop(tmp_path).ingest(
        "user,item,type,place,time,value,quantity,price\nu,i05,buy,0,1,,,\n", items, config=swapped.split("[users]")[0]
    )
    with pytest.raises(ArtefactError, match="the bundle was trained on view, buy"):
        serve_batch(engine, dataset, tmp_path / "output")


def test_a_shop_without_histories(engine: Engine, tmp_path: Path) -> None:
    """Where no event has a place, nobody has a query: all are shown what is popular, less what they met."""
    silent = tiny.ingest_shop(tmp_path / "silent", events=tiny.UNPLACED)
    output, _ = serve_batch(engine, silent, tmp_path / "output")
    found = rows(output)
    assert {row["user_id"] for row in found} == {"u01", "u02", "idle"}
    assert {row["as_of"] for row in found} == {None}
    shown = {row["user_id"]: [item["item_id"] for item in row["recommendations"]] for row in found}
    assert shown["u02"] == shown["idle"]
    assert shown["u01"] == [item for item in shown["idle"] if item != "i05"]
    assert output.info.n_without_events == 2


@pytest.mark.parametrize("memory", ["400MB", "2GB", "1TB"])
@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_workers_and_memory_change_no_byte(
    world: World, output: Output, tmp_path: Path, threads: int, memory: str
) -> None:
    """The output is the same however many workers make it, and whatever they may hold; all users are counted."""
    done: list[int] = []
    made, stages = serve_batch(
        world.engine(threads), world.dataset, tmp_path / "output", top_k=5, memory=memory, advance=done.append
    )
    assert made.manifest.digest == output.manifest.digest
    assert (sum(done), stages.users) == (23, 23)
