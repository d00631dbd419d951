"""Forgetting: the same data set, byte for byte, as from files that never held what was forgotten."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_runtime.artefacts.dataset import KIND, Dataset
from engine_runtime.artefacts.replacing import replacing
from engine_runtime.data import people
from engine_runtime.data.forgetting import rewrite
from engine_runtime.data.survey import Event, Request, Survey, survey
from shops import EVENTS, ITEMS, Shop, events, rejects
from tiny import CONFIG, ingest_shop, shop_events, shop_items

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD = "user,item,time\n"
CATALOGUE = "id,title\na,Apple\nb,Bread\nc,Cheese\n"
LOG = ["u1,a,3", "u2,b,5", "u1,b,3", "u3,c,9", "u1,c,1", "u2,a,5", "u4,a,2"]


def forget(
    dataset: Dataset, users: Iterable[str] = (), items: Iterable[str] = (), events: Iterable[Event] = ()
) -> Survey:
    """Forget in place; return what was found."""
    found = survey(dataset, Request(frozenset(users), frozenset(items), frozenset(events)))
    with replacing(dataset.root, KIND) as draft:
        rewrite(found, draft)
    return found


def assert_same(found: Path, expected: Dataset) -> None:
    """Say where two data sets differ, before their digests do."""
    opened = Dataset.open(found)
    assert dataclasses.asdict(opened.info) == dataclasses.asdict(expected.info)
    for name in expected.manifest.files:
        if name.endswith(".parquet"):
            assert pq.read_table(opened.root / name).to_pylist() == pq.read_table(expected.root / name).to_pylist(), (
                name
            )
        assert (opened.root / name).read_bytes() == (expected.root / name).read_bytes(), name
    assert opened.manifest.digest == expected.manifest.digest


def made(folder: Path, lines: Iterable[str], **files: str) -> Dataset:
    """A data set of some events."""
    return Shop(folder).ingest("".join(f"{line}\n" for line in (HEAD.strip(), *lines)), CATALOGUE, **files)


def test_a_user_is_forgotten_as_if_never_there(tmp_path: Path) -> None:
    """Numbers, counts, scales and the newest day are those of files without the user."""
    dataset = made(tmp_path / "all", LOG)
    expected = made(tmp_path / "rest", [line for line in LOG if not line.startswith("u3")])
    found = forget(dataset, ["u3", "nobody"])
    assert found.found.users == {"u3"}
    assert found.n_events == 1
    assert found.stale == {"u3"}
    assert_same(dataset.root, expected)
    assert {path.name for path in (tmp_path / "all").iterdir()} == {"dataset", "events.csv", "items.csv"}


@pytest.mark.parametrize("gone", [["u03"], ["u00", "u08", "u17"], ["idle", "u05"], [f"u{n:02d}" for n in range(20)]])
def test_users_of_a_shop_with_everything(tmp_path: Path, gone: list[str]) -> None:
    """Attributes, orders of their own, unplaced and untimed events, prices and buckets stand for the others."""
    dataset = ingest_shop(tmp_path / "all")
    log = "".join(line + "\n" for line in shop_events(shop_items()).splitlines() if line.partition(",")[0] not in gone)
    users = "".join(
        f"{line}\n"
        for line in ("user,sex,age", "u01,f,31", "u02,,40", "idle,,17")
        if line.partition(",")[0] not in gone
    )
    catalogue = "id,title,brand,price\n" + "".join(item.row for item in shop_items())
    expected = Shop(tmp_path / "rest").ingest(log, catalogue, users, CONFIG)
    forget(dataset, gone)
    assert_same(dataset.root, expected)


def test_an_item_goes_with_its_events(tmp_path: Path) -> None:
    """Items are numbered anew, and a user who had nothing else leaves too."""
    dataset = made(tmp_path / "all", LOG)
    expected = Shop(tmp_path / "rest").ingest(
        HEAD + "".join(f"{line}\n" for line in LOG if ",a," not in line), CATALOGUE.replace("a,Apple\n", "")
    )
    found = forget(dataset, items=["a"])
    assert found.stale == {"u1", "u2", "u4"}
    assert_same(dataset.root, expected)


def test_an_event_goes_alone(tmp_path: Path) -> None:
    """The places of the events behind it close up; its user stays while anything is left."""
    dataset = made(tmp_path / "all", LOG)
    expected = made(tmp_path / "rest", [line for line in LOG if line not in ("u1,b,3", "u4,a,2")])
    wanted = [Event("u1", "b", 3), Event("u4", "a", 2), Event("u1", "b", 4), Event("u9", "b", 3)]
    found = forget(dataset, events=wanted)
    assert found.found.events == set(wanted[:2])
    assert found.stale == {"u1", "u4"}
    assert_same(dataset.root, expected)
    assert [row["position"] for row in events(Dataset.open(dataset.root)) if row["user"] == "u1"] == [0, 1]


def test_an_item_that_only_the_user_named(tmp_path: Path) -> None:
    """With missing = "keep" an item of which nothing is known goes with the last event that names it."""
    config = EVENTS + ITEMS + 'missing = "keep"\n'
    log = [*LOG, "u3,secret,8", "u3,shared,8", "u4,shared,8"]
    text = [HEAD + "".join(f"{line}\n" for line in log if keep(line)) for keep in (bool, lambda x: x[:2] != "u3")]
    dataset = Shop(tmp_path / "all").ingest(text[0], CATALOGUE, config=config)
    expected = Shop(tmp_path / "rest").ingest(text[1], CATALOGUE, config=config)
    forget(dataset, ["u3"])
    assert_same(dataset.root, expected)


def test_buckets_become_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the number of buckets follows from the data, users of several are put together."""
    monkeypatch.setattr(people, "USERS_A_BUCKET", 3)
    log = [f"u{user},{'abc'[step % 3]},{7 * step % 5}" for step in range(4) for user in range(20)]
    dataset = made(tmp_path / "all", log)
    gone = [f"u{user}" for user in range(20) if user % 4]
    expected = made(tmp_path / "rest", [line for line in log if line.partition(",")[0] not in gone])
    assert (dataset.info.n_buckets, expected.info.n_buckets) == (8, 2)
    forget(dataset, gone)
    assert_same(dataset.root, expected)


def test_all_users_may_go(tmp_path: Path) -> None:
    """A catalogue is left, and can be read."""
    dataset = made(tmp_path / "all", LOG)
    forget(dataset, ["u1", "u2", "u3", "u4"])
    opened = Dataset.open(dataset.root)
    assert (opened.info.n_users, opened.info.n_events, opened.info.n_items, opened.info.last_time) == (0, 0, 3, None)


def test_rejects_name_nobody(tmp_path: Path) -> None:
    """A refused row that quotes the id as a type goes; others stay counted, for they say nothing of whose they were."""
    config = EVENTS + 'type = "type"\n[event_types]\nview = 1.0\n' + ITEMS
    log = "user,item,time,type\nu1,a,3,view\nu2,b,4,view\nu2,zz,4,view\nb,4,5,u2\nu2,a,x,view\n"
    dataset = Shop(tmp_path).ingest(log, CATALOGUE, config=config)
    forget(dataset, ["u2"])
    found = rejects(Dataset.open(dataset.root))
    assert [line for _, line, _ in found] == [4, 6]
    assert "u2" not in str(found)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from("abc"), st.integers(0, 4)), min_size=1, max_size=30),
    st.sets(st.integers(0, 6), max_size=5),
    st.sets(st.sampled_from("abc"), max_size=1),
)
def test_any_part_of_any_log(
    tmp_path_factory: pytest.TempPathFactory, log: list[tuple[int, str, int]], users: set[int], items: set[str]
) -> None:
    """Whatever goes, what is left is what the others' rows give."""
    rest = [row for row in log if row[0] not in users and row[1] not in items]
    if not rest:
        return
    folder = tmp_path_factory.mktemp("log")
    lines = [[f"u{user},{item},{time}" for user, item, time in rows] for rows in (log, rest)]
    catalogue = "id,title\n" + "".join(f"{i},{i}\n" for i in "abc" if i not in items)
    dataset = made(folder / "all", lines[0])
    expected = Shop(folder / "rest").ingest(
        HEAD + "".join(f"{line}\n" for line in lines[1]),
        catalogue.replace("a,a", "a,Apple").replace("b,b", "b,Bread").replace("c,c", "c,Cheese"),
    )
    forget(dataset, {f"u{user}" for user in users}, items)
    assert_same(dataset.root, expected)
