"""Append: the same data set, byte for byte, as from all files at once."""

from __future__ import annotations

import dataclasses
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data import people
from engine_runtime.data.append import agreed_config, append, find_later
from engine_runtime.data.config_file import parse_config
from engine_runtime.data.ingest import ingest
from engine_runtime.errors import ArtefactError, InputError, UsageError
from shops import EVENTS, ITEMS, Shop, events, rejects

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = "user,item,time\n"
CATALOGUE = "id,title\nb,Bread\nd,Dates\n"
USERS = '[users]\nid = "user"\nattributes = ["town"]\n'
ORDERED = (
    '[events]\nuser = "user"\nitem = "item"\ntime = "time"\norder = "place"\nunknown_order = -1\nvalue = "stars"\n'
)

Files = dict[str, str]


class Days:
    """Files of several days, ingested together or day by day."""

    def __init__(self, root: Path, config: str) -> None:
        self.root = root
        self.config = parse_config('name = "shop"\n' + config, "shop.toml")

    def write(self, day: int, files: Files) -> dict[str, list[Path]]:
        """Write a day's files, by kind."""
        shop = Shop(self.root)
        return {kind: [shop.write(f"{kind}-{day}.csv", text)] for kind, text in files.items()}

    def together(self, days: Sequence[Files], users_last_first: bool = False) -> Dataset:
        """Ingest all days at once."""
        written = [self.write(day, files) for day, files in enumerate(days)]
        paths = {kind: [path for day in written for path in day.get(kind, [])] for kind in ("events", "items", "users")}
        if users_last_first:
            paths["users"].reverse()
        return ingest(self.config, paths["events"], paths["items"], paths["users"], self.root / "all", replace=True)

    def one_by_one(self, days: Sequence[Files], **options: Any) -> Dataset:
        """Ingest the first day, and append each other one."""
        dataset = self.together(days[:1])
        for day, files in enumerate(days[1:], 1):
            paths: dict[str, list[Path]] = {"events": [], "items": [], "users": []} | self.write(day, files)
            config = agreed_config(dataset)
            dataset = append(dataset, config, find_later(config, **paths), self.root / f"until-{day}", **options)
        return dataset


def assert_same(found: Dataset, expected: Dataset) -> None:
    """Say where two data sets differ, before their digests do."""
    assert dataclasses.asdict(found.info) == dataclasses.asdict(expected.info)
    for name in expected.manifest.files:
        if name.endswith(".parquet"):
            assert pq.read_table(found.root / name).to_pylist() == pq.read_table(expected.root / name).to_pylist(), name
    assert found.manifest.digest == expected.manifest.digest
    assert Dataset.open(found.root).info == found.info


FIRST = {"events": HEAD + "u2,b,5\nu1,d,9\nu1,b,3\nu1,x,4\nu9,d,1\n", "items": CATALOGUE}
SECOND = {
    "events": HEAD + "u1,b,3\nu5,a,7\nu2,b,1\nu2,a,5\n,b,1\nu1,y,1\nu1,d,3\n",
    "items": "id,title\nb,Butter\na,Apple\nc,\n",
}


def test_days_join_as_if_read_together(tmp_path: Path) -> None:
    """New items and users take their places, ties stand by day, rejects and counts add up: the digests are equal."""
    days = Days(tmp_path, EVENTS + ITEMS)
    found = days.one_by_one([FIRST, SECOND])
    assert_same(found, days.together([FIRST, SECOND]))
    assert [(row["item"], row["time"]) for row in events(found) if row["user"] == "u1"] == [
        ("b", 3),
        ("b", 3),
        ("d", 3),
        ("d", 9),
    ]
    assert ("items-1.csv", 2, "item id was given before") in rejects(found)


def test_what_was_there_stays(tmp_path: Path) -> None:
    """The data set that is appended to is not touched, and an output in its place is not replaced unasked."""
    days = Days(tmp_path, EVENTS + ITEMS)
    before = days.together([FIRST])
    digest, config = before.manifest.digest, agreed_config(before)
    later = find_later(config, days.write(1, SECOND)["events"], [], [])
    append(before, config, later, tmp_path / "new")
    assert Dataset.open(before.root).manifest.digest == digest
    with pytest.raises(UsageError, match="exists already"):
        append(before, config, later, tmp_path / "new")
    with pytest.raises(InputError, match="rows were refused"):
        append(before, config, later, tmp_path / "other", on_error="fail")
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"all", "new"}


def test_users_change(tmp_path: Path) -> None:
    """A later row of a user replaces the earlier one, which is ingesting the later file first, but for the rejects."""
    first = FIRST | {"users": "user,town\nu1,Bern\nidle,Basel\nu2,\n"}
    second = {"users": "user,town\nu1,Chur\nnew,\nu2,Davos\nu9,Ems\n"}
    days = Days(tmp_path, EVENTS + ITEMS + USERS)
    found = days.one_by_one([first, second])
    expected = days.together([first, second], users_last_first=True)
    towns = {row["user_id"]: row["town"] for row in pq.read_table(found.users).to_pylist()}
    assert towns == {"u1": "Chur", "idle": "Basel", "u2": "Davos", "new": None, "u9": "Ems"}
    assert {path: record for path, record in found.manifest.files.items() if path != "rejects.parquet"} == {
        path: record for path, record in expected.manifest.files.items() if path != "rejects.parquet"
    }
    assert found.info.n_rejects == 1


def test_attributes_may_begin_later(tmp_path: Path) -> None:
    """Users may be described for the first time by a later file."""
    days = Days(tmp_path, EVENTS + ITEMS + USERS)
    files = [FIRST, {"users": "user,town\nu1,Bern\n"}]
    found = days.one_by_one(files)
    assert found.info.attributes == ("town",)
    assert_same(found, days.together(files))


def test_more_buckets_when_there_is_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the number of buckets follows from the data it grows with them, and users move."""
    monkeypatch.setattr(people, "USERS_A_BUCKET", 3)
    days = Days(tmp_path, EVENTS + ITEMS)
    many = [
        {"events": HEAD + "".join(f"u{user},b,{user % 7}\n" for user in range(start, stop))}
        for start, stop in ((0, 5), (3, 9), (2, 40))
    ]
    files = [many[0] | {"items": CATALOGUE}, *many[1:]]
    found = days.one_by_one(files)
    assert found.info.n_buckets == 16
    assert_same(found, days.together(files))


def test_items_that_were_in_no_file_are_described_later(tmp_path: Path) -> None:
    """Where missing items are kept, a later row describes such an item, as it would have among the others."""
    days = Days(tmp_path, EVENTS + ITEMS + 'missing = "keep"\n')
    second = {"items": "id,title\nx,Xigua\n", "events": HEAD + "u1,q,1\n"}
    found = days.one_by_one([FIRST, second])
    assert_same(found, days.together([FIRST, second]))
    titles = {row["item_id"]: row["title"] for row in pq.read_table(found.items).to_pylist()}
    assert titles == {"b": "Bread", "d": "Dates", "x": "Xigua", "q": None}


def test_fingerprints_tell_who_has_changed(tmp_path: Path) -> None:
    """The fingerprint of a user moves with new events, attributes and texts of items, and not with numbers."""
    days = Days(tmp_path, EVENTS + ITEMS + 'missing = "keep"\n' + USERS)
    first = FIRST | {"users": "user,town\nu1,Bern\nu2,\n"}
    second = {
        "events": HEAD + "u5,a,7\n",
        "items": "id,title\na,Apple\nc,Corn\n",
        "users": "user,town\nu2,Davos\n",
    }
    third = {"items": "id,title\nx,Xigua\n", "events": HEAD + "u9,b,0\n"}

    def marks(dataset: Dataset) -> dict[str, int]:
        ids = pq.read_table(dataset.users)["user_id"].to_pylist()
        return dict(zip(ids, np.load(dataset.fingerprints).tolist(), strict=True))

    told = [marks(days.one_by_one([first, second, third][:n], replace=True)) for n in (1, 2, 3)]
    changed = [{user for user in now if now[user] != was.get(user)} for was, now in pairwise(told)]
    assert changed == [{"u5", "u2"}, {"u1", "u9"}]


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (EVENTS + ITEMS + "[event_types]\nview = 1.0\n", "event_types"),
        (EVENTS.replace('item = "item"', 'item = "sku"') + ITEMS, "events.item"),
        (EVENTS + ITEMS + USERS, "users"),
        (EVENTS + ITEMS.replace("{title}", "{title}!"), "items.text"),
    ],
)
def test_another_configuration_is_refused(shop: Shop, config: str, named: str) -> None:
    """What the data set was made with stands; the first difference is named."""
    dataset = shop.ingest(HEAD + "u1,a,1\n")
    with pytest.raises(UsageError, match=rf"was made with {named}.* = "):
        agreed_config(dataset, parse_config('name = "shop"\n' + config, "shop.toml"))
    same = parse_config('name = "shop"\n' + EVENTS + ITEMS + '[files]\nevents = ["x"]\n[ingest]\nbuckets = 7\n', "x")
    assert agreed_config(dataset, same) == agreed_config(dataset)


def test_what_cannot_be_appended_is_refused(shop: Shop) -> None:
    """Nothing at all, files without a section, whole histories, and data sets that say too little of themselves."""
    dataset = shop.ingest(HEAD + "u1,a,1\n")
    config = agreed_config(dataset)
    with pytest.raises(UsageError, match="nothing was given"):
        find_later(config, [], [], [])
    with pytest.raises(UsageError, match=r"no section \[users\]"):
        find_later(config, [], [], [shop.write("users.csv", "user\nu1\n")])
    lists = shop.ingest("user,list\nu1,a b\n", config='[events]\nuser = "user"\nitem_list = "list"\n' + ITEMS)
    with pytest.raises(UsageError, match="whole history"):
        find_later(agreed_config(lists), [shop.root / "events.csv"], [], [])
    bare = shop.ingest(HEAD + "u1,a,1\n", config=EVENTS, items=None, catalogue=dataset.items, out=shop.root / "bare")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="made against an index"):
        agreed_config(bare)
    dataset.config.unlink()
    with pytest.raises(ArtefactError, match="an earlier version"):
        agreed_config(dataset)


def test_a_day_of_repeats_is_no_failure(tmp_path: Path) -> None:
    """A file that was taken before adds nothing, and its one row that was refused is no reason to refuse all."""
    days = Days(tmp_path, EVENTS + 'duplicates = "drop"\n' + ITEMS)
    again = {"events": HEAD + "u1,b,3\nu1,b,\n"}
    found = days.one_by_one([FIRST, again])
    assert_same(found, days.together([FIRST, again]))
    assert found.info.n_duplicates == 1


CELLS = {
    "user": st.sampled_from(["u1", "u2", "u3", "u4", "", "ü"]),
    "item": st.sampled_from(["a", "b", "c", "d", "e", "z"]),
    "time": st.sampled_from(["", "0", "5", "5.5", "9", "x"]),
    "place": st.sampled_from(["-1", "0", "1", "2", "2", "3", "y"]),
    "stars": st.sampled_from(["", "1", "4.5", "-2"]),
}
ITEM_ROWS = st.lists(st.sampled_from(["a,Apple", "b,Bread", "b,Butter", "c,", "d,Dates", ",Nothing"]), max_size=4)
EVENT_ROWS = st.lists(st.tuples(*CELLS.values()), min_size=1, max_size=12)


@given(
    days=st.lists(st.tuples(EVENT_ROWS, ITEM_ROWS), min_size=1, max_size=3),
    ordered=st.booleans(),
    drop=st.booleans(),
    buckets=st.sampled_from([None, 1, 3]),
)
@settings(max_examples=15)
def test_any_days_join(days: list[Any], ordered: bool, drop: bool, buckets: int | None) -> None:
    """Whatever the files hold, appending them day by day gives the bytes of ingesting them together.

    The catalogue is whole from the first day, but for items without events till then: what was refused is not kept.
    """
    config = (ORDERED if ordered else EVENTS + 'value = "stars"\n') + ('duplicates = "drop"\n' if drop else "")
    config += ITEMS + (f"[ingest]\nbuckets = {buckets}\n" if buckets else "")
    known: set[str] = {"e"}
    files: list[Files] = []
    for rows, items in [([("u1", "e", "1", "1", "")], ["e,Egg"]), *days]:
        refused = {row[1] for row in rows} - known  # an item comes no later than its events
        chosen = [row for row in items if row.split(",")[0] not in refused or not files]
        known |= {row.split(",")[0] for row in chosen}
        kept = [row for row in rows if row[1] in known] + [("u1", "e", "1", "1", "")]  # else all would be refused
        files.append({"events": ",".join(CELLS) + "\n" + "".join(",".join(row) + "\n" for row in kept)})
        if chosen:
            files[-1]["items"] = "id,title\n" + "".join(row + "\n" for row in chosen)
    with tempfile.TemporaryDirectory() as folder:
        made = Days(Path(folder), config)
        assert_same(made.one_by_one(files), made.together(files))
