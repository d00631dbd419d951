"""Serving only who has changed: rows are those of a full run, and runs chain day by day."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.output import Output
from engine_runtime.data.append import agreed_config, append, find_later
from engine_runtime.errors import ArtefactError
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.bucket import serve_bucket
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.since import STATE
from tiny import World

TODAY = (
    "user,item,type,place,time,value,quantity,price\n"
    "u03,i05,view,50,1700000000,4,,\n"
    "u07,n1,buy,51,1700000100,,2,3.5\n"
    "new,i09,view,1,1700000200,,,\n"
)
NEW_ITEMS = "id,title,brand,price\nn1,red lamp,Ada,4\nn2,blue cup,,\nn3,green pot,,\n"
NEW_USERS = "user,sex,age\nu01,f,32\nidle,,17\n"
CHANGED = ["new", "u01", "u03", "u07"]


@pytest.fixture(scope="module")
def tomorrow(world: World, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The world's data set with a day's files."""
    root = tmp_path_factory.mktemp("today")
    texts = {"events": TODAY, "items": NEW_ITEMS, "users": NEW_USERS}
    paths = {kind: root / f"{kind}.csv" for kind in texts}
    for kind, text in texts.items():
        paths[kind].write_text(text)
    config = agreed_config(world.dataset)
    later = find_later(config, [paths["events"]], [paths["items"]], [paths["users"]])
    return append(world.dataset, config, later, root / "dataset")


@pytest.fixture(scope="module")
def first(world: World, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Output:
    return serve_batch(engine, world.dataset, tmp_path_factory.mktemp("first") / "output", top_k=5)[0]


def rows(output: Output) -> dict[str, dict[str, Any]]:
    """All rows by user."""
    parts = [pq.read_table(output.part(number)) for number in range(output.info.n_parts)]
    return {row["user_id"]: row for row in pa.concat_tables(parts).to_pylist()}


def assert_close(found: Any, expected: Any) -> None:
    """Equal but for the last digits of numbers, which hang on how many users share a product of matrices."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert_close(found[name], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)
    else:
        assert found == expected


def test_rows_of_who_has_changed(engine: Engine, tomorrow: Dataset, first: Output, tmp_path: Path) -> None:
    """New users and those with new events or attributes are served as in a full run; nobody else is."""
    full = serve_batch(engine, tomorrow, tmp_path / "full", top_k=5)[0]
    some = serve_batch(engine, tomorrow, tmp_path / "some", top_k=5, since=first.root)[0]
    expected, found = rows(full), rows(some)
    assert sorted(found) == CHANGED
    assert_close(found, {user: expected[user] for user in CHANGED})
    assert some.info.n_users == 4
    assert some.info.n_unchanged == tomorrow.info.n_users - 4 == full.info.n_users - 4
    assert some.info.n_events == sum(row["n_events"] for row in found.values())
    assert some.manifest.parents == full.manifest.parents | {"output": first.manifest.digest}
    for user, row in rows(first).items():
        if user not in CHANGED:
            moving = {"as_of", "habits"}  # days run on; all else stands
            kept = row.keys() - moving
            assert_close({name: row[name] for name in kept}, {name: expected[user][name] for name in kept})


def test_runs_chain(world: World, engine: Engine, tomorrow: Dataset, first: Output, tmp_path: Path) -> None:
    """The state is that of all users: a run can go on from one that served a few, and users who go are named."""
    some = serve_batch(engine, tomorrow, tmp_path / "some", top_k=5, since=first.root)[0]
    full = serve_batch(engine, tomorrow, tmp_path / "full", top_k=5)[0]
    assert pq.read_schema(some.state) == STATE
    assert some.state.read_bytes() == full.state.read_bytes()
    none = serve_batch(engine, tomorrow, tmp_path / "none", top_k=5, since=some.root)[0]
    assert (none.info.n_users, none.info.n_unchanged, none.info.n_gone) == (0, tomorrow.info.n_users, 0)
    assert rows(none) == {}
    assert none.info.n_parts == tomorrow.info.n_buckets
    back = serve_batch(engine, world.dataset, tmp_path / "back", top_k=5, since=none.root)[0]
    assert sorted(rows(back)) == ["u01", "u03", "u07"]
    assert pq.read_table(back.gone)["user_id"].to_pylist() == ["new"]
    assert back.info.n_gone == 1


def test_only_texts_that_are_needed_are_encoded(
    engine: Engine, tomorrow: Dataset, first: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items that the index lacks are read where a served user has them; others' texts are not encoded."""
    seen: list[list[str]] = []
    whole = Engine.with_newcomers

    def counted(self: Engine, texts: list[str]) -> Engine:
        seen.append(list(texts))
        return whole(self, texts)

    monkeypatch.setattr(Engine, "with_newcomers", counted)
    some = serve_batch(engine, tomorrow, tmp_path / "some", top_k=5, since=first.root)[0]
    serve_batch(engine, tomorrow, tmp_path / "none", top_k=5, since=some.root)
    assert seen == [["red lamp"]]
    assert some.info.n_new_items == 1


def test_a_stopped_run_goes_on(
    engine: Engine, tomorrow: Dataset, first: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run since an output ends with the same bytes when it is resumed, and with another output it is another task."""
    whole = serve_batch(engine, tomorrow, tmp_path / "whole", top_k=5, since=first.root)[0]
    other = serve_batch(engine, tomorrow, tmp_path / "other", top_k=5)[0]
    serve = serve_bucket

    def stopping(source: Any, bucket: int, *rest: Any) -> dict[str, int]:
        if bucket == 2:
            raise KeyboardInterrupt
        return serve(source, bucket, *rest)

    with monkeypatch.context() as patch:
        patch.setattr("engine_runtime.serve.batch.serve_bucket", stopping)
        with pytest.raises(KeyboardInterrupt):
            serve_batch(engine, tomorrow, tmp_path / "out", top_k=5, since=first.root)
    with pytest.raises(ArtefactError, match="begun with the output"):
        serve_batch(engine, tomorrow, tmp_path / "out", top_k=5, since=other.root, resume=True)
    resumed = serve_batch(engine, tomorrow, tmp_path / "out", top_k=5, since=first.root, resume=True)[0]
    assert resumed.manifest.digest == whole.manifest.digest


def test_what_does_not_go_together_is_refused(
    world: World, engine: Engine, tomorrow: Dataset, first: Output, tmp_path: Path
) -> None:
    """Another top-k, a data set without fingerprints, and an output without a state or with a damaged one."""
    with pytest.raises(ArtefactError, match="the top-k 5, not 6"):
        serve_batch(engine, tomorrow, tmp_path / "out", top_k=6, since=first.root)
    bare = dataclasses.replace(tomorrow.manifest, files={})
    with pytest.raises(ArtefactError, match="without fingerprints"):
        serve_batch(engine, dataclasses.replace(tomorrow, manifest=bare), tmp_path / "out", top_k=5, since=first.root)
    stateless = serve_batch(engine, dataclasses.replace(tomorrow, manifest=bare), tmp_path / "bare", top_k=5)[0]
    with pytest.raises(ArtefactError, match="keeps no state"):
        serve_batch(engine, tomorrow, tmp_path / "out", top_k=5, since=stateless.root)
    damaged = serve_batch(engine, world.dataset, tmp_path / "damaged", top_k=5)[0]
    damaged.state.write_bytes(b"PAR1")
    with pytest.raises(ArtefactError, match="is damaged"):
        serve_batch(engine, tomorrow, tmp_path / "out", top_k=5, since=damaged.root)
    assert not (tmp_path / "out.unfinished").exists()
