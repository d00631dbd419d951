"""Ingest: what is kept, what is refused and where it stood, and that the same input gives the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.config_file import load_config
from engine_runtime.data.ingest import ingest
from engine_runtime.data.people import default_buckets
from engine_runtime.data.schema import EVENTS as EVENT_SCHEMA
from engine_runtime.data.schema import ITEMS as ITEM_SCHEMA
from engine_runtime.errors import InputError, MachineError, UsageError
from shops import EVENTS, ITEMS, Shop, events, rejects

HEAD = "user,item,time\n"
GOOD = HEAD + "u,a,1\n"


def test_a_small_shop(shop: Shop) -> None:
    """Events come out typed, in order of time, ties as in the file, and the counts say what there is."""
    dataset = shop.ingest(
        HEAD + "u2,b,5\n u1 ,c,9\nu1,a,3\nu1,b,3\n",
        users='user,town\nu1,"Bern"\nu3,\n',
        config=EVENTS + ITEMS + USERS,
    )
    found = events(dataset)
    assert [(row["user"], row["item"], row["time"], row["position"]) for row in found if row["user"] == "u1"] == [
        ("u1", "a", 3, 0),
        ("u1", "b", 3, 1),
        ("u1", "c", 9, 2),
    ]
    info = dataset.info
    assert (info.n_users, info.n_items, info.n_events, info.n_ordered, info.n_rejects) == (3, 3, 4, 4, 0)
    assert (info.first_time, info.last_time) == (3, 9)
    assert info.attributes == ("town",)
    assert pq.read_schema(dataset.bucket(0)) == EVENT_SCHEMA
    assert pq.read_schema(dataset.items) == ITEM_SCHEMA
    assert Dataset.open(dataset.root).info == info


USERS = '[users]\nid = "user"\nattributes = ["town"]\n'


def test_reasons_and_lines(shop: Shop) -> None:
    """Every unusable row has its file, its line and a reason, also after fields that span lines."""
    rows = [
        "user,item,time,kind,stars,note",
        'u,a,1,view,1,"two\nlines"',
        ",a,1,view,1,",
        "u,,1,view,1,",
        "u,a,soon,view,1,",
        "",
        "u,a,,view,1,",
        "u,a,-5,view,1,",
        "u,a,1,glance,1,",
        "u,a,1,,1,",
        "u,a,1,view,nan,",
        "u,a,1,view,1e39,",
        "u,a,1,view,many,",
        "u,z,1,view,1,",
        "u,a,1",
        "u,a,1,view,,",
        "u,a,inf,view,,",
    ]
    config = EVENTS + 'type = "kind"\nvalue = "stars"\n[event_types]\nview = 1.0\nbuy = 2.0\n' + ITEMS
    dataset = shop.ingest("\n".join(rows) + "\n", config=config)
    assert rejects(dataset) == [
        ("events.csv", 4, "user id is missing"),
        ("events.csv", 5, "item id is missing"),
        ("events.csv", 6, "time cannot be read"),
        ("events.csv", 8, "time is missing"),
        ("events.csv", 9, "time is before 1970 or after 9999"),
        ("events.csv", 10, "unknown event type 'glance' (known: view, buy)"),
        ("events.csv", 11, "event type is missing"),
        ("events.csv", 12, "value is no finite number"),
        ("events.csv", 13, "value is no finite number"),
        ("events.csv", 14, "value is no finite number"),
        ("events.csv", 15, "item is in no item file"),
        ("events.csv", 16, "3 fields where 6 were expected"),
        ("events.csv", 18, "time cannot be read"),
    ]
    assert [row["value"] for row in events(dataset)] == [1.0, None]


def test_lines_after_blank_lines_before_the_header(shop: Shop) -> None:
    """Lines count from the top of the file, whatever stands before or inside the header."""
    dataset = shop.ingest('\n\nuser,item,time,"no\nte"\nu,a,1,\n,a,1,\n'.encode("utf-8-sig"))
    assert rejects(dataset) == [("events.csv", 6, "user id is missing")]


def test_on_error_fail_names_the_first_rows(shop: Shop) -> None:
    """With fail, a refused row stops the run, and nothing is left behind."""
    with pytest.raises(InputError, match=r"2 rows .* events.csv:3: user id is missing; events.csv:4: item"):
        shop.ingest(GOOD + ",a,1\nu,q,1\n", on_error="fail")
    assert not (shop.root / "dataset").exists()
    assert not [path for path in shop.root.iterdir() if path.name.startswith(".")]


def test_all_refused_is_an_error(shop: Shop) -> None:
    """A run in which no event is usable stops, for the configuration is wrong."""
    with pytest.raises(InputError, match="all 1 events were refused"):
        shop.ingest(HEAD + "u,q,1\n")
    with pytest.raises(InputError, match="all items were refused"):
        shop.ingest(None, items="id,title\n,x\n", config=ITEMS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("e.csv", "person,item,time\nu,a,1\n"),
        ("e.tsv", "person\titem\ttime\nu\ta\t1\n"),
        ("e.jsonl", '{"person": "u", "item": "a", "time": 1}\n'),
    ],
)
def test_missing_column_is_named(shop: Shop, name: str, content: str) -> None:
    """A missing column is named with the file and the columns that are there."""
    with pytest.raises(InputError, match=r"e\.\w+ has no column 'user'.*item, (person, )?time"):
        shop.ingest(shop.write(name, content))


def test_missing_column_of_parquet(shop: Shop) -> None:
    """A missing column of a Parquet file is named as well."""
    path = shop.root / "e.parquet"
    pq.write_table(pa.table({"person": ["u"]}), path)
    with pytest.raises(InputError, match=r"no column 'user'. Columns found: person"):
        shop.ingest(path)


@pytest.mark.parametrize("content", ["", "\n\n", "user,item,time\n"])
def test_empty_files_are_errors(shop: Shop, content: str) -> None:
    """A file without a byte, a header or a row is an error that names it."""
    with pytest.raises(InputError, match=r"events\.csv"):
        shop.ingest(content)


def test_unusable_files_are_errors(shop: Shop) -> None:
    """Files that are not what their names say are errors that name them."""
    torn = gzip.compress(GOOD.encode() * 1000)[:-20]
    for name, content in {
        "e.csv.gz": b"no gzip",
        "f.csv.gz": torn,
        "e.parquet": b"no parquet",
        "e.jsonl": b"[1]\nnull\n{\n",
    }.items():
        with pytest.raises(InputError, match=name if name != "e.jsonl" else "all 3 events were refused"):
            shop.ingest(shop.write(name, content))
    with pytest.raises(InputError, match="does not exist"):
        shop.ingest(shop.root / "gone.csv")


def test_a_quote_left_open(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote left open is an error that says how to read quotes as they are, which then works."""
    monkeypatch.setattr("engine_runtime.data.blocks.BLOCK_BYTES", 1 << 12)
    rows = HEAD + '"u,a,1\n' + "u,a,1\n" * 2000
    with pytest.raises(InputError, match="quoted = false"):
        shop.ingest(rows)
    dataset = shop.ingest(rows, config=EVENTS + ITEMS + "[files]\nquoted = false\n")
    assert dataset.info.n_events == 2001


def test_formats_agree(shop: Shop) -> None:
    """The same rows give the same events from every format and compression, and from a folder of parts."""
    rows = [("u1", "a", 5, 1.5), ("u1", "b", 4, None), ("u2", "c", 3, -2.0), ("u1", "a", 5, 1.0)]
    config = EVENTS + 'value = "stars"\n' + ITEMS
    names = ("user", "item", "time", "stars")
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    csv = ",".join(names) + "\n" + "".join(line + "\n" for line in lines)
    dicts = [dict(zip(names, row, strict=True)) for row in rows]
    jsonl = "".join(json.dumps(row) + "\n" for row in dicts)
    shop.write("parts/_SUCCESS", "")
    shop.write("parts/.hidden.csv", "x")
    shop.write("parts/read.me", "x")
    shop.write("parts/1.csv", ",".join(names) + "\n" + "\n".join(lines[:2]))
    shop.write("parts/2.csv.gz", gzip.compress((",".join(names) + "\n" + "\n".join(lines[2:])).encode()))
    pq.write_table(pa.Table.from_pylist(dicts), shop.root / "e.parquet")
    zstd = pa.CompressedOutputStream(str(shop.root / "e.csv.zst"), "zstd")
    zstd.write(csv.encode())
    zstd.close()
    sources = [
        shop.write("e.csv", csv.replace("\n", "\r\n")),
        shop.write("e.tsv", csv.replace(",", "\t")),
        shop.write("e.jsonl", "\n" + jsonl),
        shop.write("e.json.gz", gzip.compress(jsonl.encode())),
        shop.root / "e.parquet",
        shop.root / "e.csv.zst",
        shop.root / "parts",
    ]
    found = [events(shop.ingest(source, config=config)) for source in sources]
    assert len(found[0]) == 4
    assert all(one == found[0] for one in found)


def test_mixed_formats_and_unknown_ones_are_usage_errors(shop: Shop) -> None:
    """Formats must be known and not mixed within a source; a folder must hold some file."""
    shop.write("mix/1.csv", GOOD)
    shop.write("mix/2.tsv", GOOD)
    (shop.root / "none").mkdir()
    with pytest.raises(UsageError, match="csv, tsv"):
        shop.ingest(shop.root / "mix")
    for name in ("e.xlsx", "e", "e.parquet.gz", "e.gz"):
        with pytest.raises(UsageError, match="no known format"):
            shop.ingest(shop.write(name, GOOD))
    with pytest.raises(InputError, match=r"no \.csv"):
        shop.ingest(shop.root / "none")


def test_files_and_sections_go_together(shop: Shop) -> None:
    """Files without a section, and sections without files, are usage errors."""
    with pytest.raises(UsageError, match=r"no section \[events\]"):
        shop.ingest(GOOD, config=ITEMS)
    with pytest.raises(UsageError, match="Add --events"):
        shop.ingest(None)
    with pytest.raises(UsageError, match="no items were given"):
        ingest(load_events_only(shop), [shop.write("e.csv", GOOD)], [], [], shop.root / "out")
    with pytest.raises(UsageError, match="without events"):
        shop.ingest(None, config=ITEMS, catalogue=shop.root / "x")
    for amount in ("plenty", "2", "-1GB", "80%", "1e400GB"):
        with pytest.raises(UsageError, match="no amount"):
            shop.ingest(GOOD, memory=amount)


def load_events_only(shop: Shop) -> Any:
    """Return settings with a section of events alone."""
    return load_config(shop.write("only.toml", 'name = "only"\n' + EVENTS))


@pytest.mark.parametrize(
    ("form", "cell", "seconds"),
    [
        ("seconds", "1.9", 1),
        ("milliseconds", "1500", 1),
        ("microseconds", "2500000", 2),
        ("iso", "2020-01-01T00:00:00Z", 1577836800),
        ("iso", "2020-01-01T01:00:00.5+01:00", 1577836800),
        ("iso", "2020-01-01", 1577836800),
        ("%d.%m.%Y %H:%M", "01.01.2020 00:00", 1577836800),
        ("%Y-%m-%d %z", "2020-01-01 +0100", 1577833200),
    ],
)
def test_time_formats(shop: Shop, form: str, cell: str, seconds: int) -> None:
    """Times are read in the format given, as UTC where they name no zone."""
    dataset = shop.ingest(HEAD + f"u,a,{cell}\n", config=EVENTS + f'time_format = "{form}"\n' + ITEMS)
    assert [row["time"] for row in events(dataset)] == [seconds]


def test_times_of_parquet(shop: Shop) -> None:
    """A column of timestamps, with a zone or without, is read as an ISO time."""
    path = shop.root / "e.parquet"
    for zone in (None, "UTC", "Europe/Zurich"):
        times = pa.array([1577836800], pa.timestamp("s", tz=zone))
        pq.write_table(pa.table({"user": ["u"], "item": ["a"], "time": times}), path)
        dataset = shop.ingest(path, config=EVENTS + 'time_format = "iso"\n' + ITEMS)
        assert [row["time"] for row in events(dataset)] == [1577836800]


@pytest.mark.parametrize(("form", "cell"), [("iso", "infinity"), ("iso", "1.1.20"), ("%Y", "x"), ("seconds", "9e18")])
def test_unreadable_times_are_refused(shop: Shop, form: str, cell: str) -> None:
    """A time that is none is refused in every format."""
    config = EVENTS + f'time_format = "{form}"\n' + ITEMS
    moment = {"iso": "2020-01-01", "%Y": "2020", "seconds": "1"}[form]
    dataset = shop.ingest(HEAD + f"u,a,{cell}\nu,a,{moment}\n", config=config)
    assert [(line, reason[:4]) for _, line, reason in rejects(dataset)] == [(2, "time")]


def test_a_bad_strptime_format_is_a_usage_error(shop: Shop) -> None:
    """A format that strptime does not know is a usage error."""
    with pytest.raises(UsageError, match="%Q"):
        shop.ingest(GOOD, config=EVENTS + 'time_format = "%Q"\n' + ITEMS)


def test_order_goes_before_time(shop: Shop) -> None:
    """With an order, times may be missing and do not sort; an unknown place comes first and is -1."""
    config = EVENTS + 'order = "n"\nunknown_order = -1\n' + ITEMS
    rows = "user,item,time,n\nu,a,50,2\nu,b,,1\nu,c,60,-1\nu,a,70,-1\nu,a,1,x\nu,a,1,1.5\nu,a,1,\n"
    dataset = shop.ingest(rows, config=config)
    assert [(row["item"], row["time"], row["position"]) for row in events(dataset)] == [
        ("c", 60, -1),
        ("a", 70, -1),
        ("b", -1, 0),
        ("a", 50, 1),
    ]
    assert (dataset.info.n_events, dataset.info.n_ordered) == (4, 2)
    assert [reason for _, _, reason in rejects(dataset)] == [
        "order is no whole number",
        "order is no whole number",
        "order is missing",
    ]


LISTS = '[events]\nuser = "user"\nitem_list = "seen"\nduplicates = "drop"\n' + ITEMS


def test_lists_of_items(shop: Shop) -> None:
    """A list is a history; a repeat adds nothing; an empty one is a user without events."""
    rows = "user,seen\nu,a b a\nu,a b a\nv,\n,a\n,\nw,q c\n"
    dataset = shop.ingest(rows, config=LISTS)
    found = [(row["user"], row["item"], row["position"]) for row in events(dataset)]
    assert sorted(found) == [("u", "a", 0), ("u", "a", 2), ("u", "b", 1), ("w", "c", 0)]
    assert dataset.info.n_users == 3
    assert dataset.info.n_duplicates == 3
    assert rejects(dataset) == [
        ("events.csv", 5, "user id is missing"),
        ("events.csv", 7, "item is in no item file"),
    ]


def test_lists_of_items_in_json_and_parquet(shop: Shop) -> None:
    """A list may be a list of JSON or of Parquet as well."""
    path = shop.root / "e.parquet"
    pq.write_table(pa.table({"user": ["u"], "seen": [["b", "a"]]}), path)
    for source in (path, shop.write("e.jsonl", '{"user": "u", "seen": ["b", "a"]}\n')):
        assert [row["item"] for row in events(shop.ingest(source, config=LISTS))] == ["b", "a"]


def test_duplicates_are_kept_unless_dropped(shop: Shop) -> None:
    """Exact repeats are kept by default, and taken once where that is asked for."""
    rows = GOOD + "u,a,1\nu,a,2\n"
    assert shop.ingest(rows).info.n_events == 3
    dropped = shop.ingest(rows, config=EVENTS + 'duplicates = "drop"\n' + ITEMS)
    assert (dropped.info.n_events, dropped.info.n_duplicates) == (2, 1)


def test_items(shop: Shop) -> None:
    """Items have text, facets and a flag; repeated and nameless ones are refused."""
    rows = [
        {"id": 7, "title": "Apple", "make": None, "paths": [["Food", "Fruit"], ["Red"]], "cost": "1.50"},
        {"id": "POST", "title": "Postage", "cost": 2, "tags": ["x"]},
        {"id": "7", "title": "Again"},
        {"id": "", "title": "Nameless"},
        {"id": "b\ufffd", "title": "Broken"},
        {"id": "c", "title": " ", "cost": "cheap"},
    ]
    config = (
        EVENTS + '[items]\nid = "id"\ntext = "{title}. {make}. {paths}"\ntitle = "title"\nbrand = "make"\n'
        'category = "paths"\nprice = "cost"\nnot_ranked = "POST|M"\n'
    )
    path = shop.write("i.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    dataset = shop.ingest(HEAD + "u,7,1\n", items=path, config=config)
    assert pq.read_table(dataset.items).to_pylist() == [
        {
            "item_id": "7",
            "text": "Apple. Food > Fruit, Red",
            "title": "Apple",
            "brand": None,
            "category": "Food > Fruit",
            "price": 1.5,
            "rankable": True,
            "n_events": 1,
        },
        {
            "item_id": "POST",
            "text": "Postage",
            "title": "Postage",
            "brand": None,
            "category": None,
            "price": 2.0,
            "rankable": False,
            "n_events": 0,
        },
        {
            "item_id": "c",
            "text": "",
            "title": None,
            "brand": None,
            "category": None,
            "price": None,
            "rankable": True,
            "n_events": 0,
        },
    ]
    assert dataset.info.n_items_without_text == 1
    assert [(line, reason) for _, line, reason in rejects(dataset)] == [
        (3, "item id was given before"),
        (4, "item id is missing"),
        (5, "item id holds bytes that are no text"),
    ]


def test_items_of_parquet_with_missing_prices(shop: Shop) -> None:
    """Lists and missing numbers of a Parquet file are understood."""
    path = shop.root / "i.parquet"
    pq.write_table(pa.table({"id": ["a"], "title": [["x", "y"]], "cost": [float("nan")]}), path)
    dataset = shop.ingest(GOOD, items=path, config=EVENTS + ITEMS + 'price = "cost"\n')
    row = pq.read_table(dataset.items).to_pylist()[0]
    assert (row["text"], row["price"]) == ("x, y", None)


def test_a_not_ranked_that_duckdb_does_not_know(shop: Shop) -> None:
    """A pattern beyond what is supported is a usage error."""
    with pytest.raises(UsageError, match="not_ranked"):
        shop.ingest(GOOD, config=EVENTS + ITEMS + "not_ranked = '(?=a)b'\n")


def test_missing_items_can_be_kept(shop: Shop) -> None:
    """Events of unknown items are kept where that is asked for, and the items added without text."""
    dataset = shop.ingest(GOOD + "u,new,2\n", config=EVENTS + ITEMS + 'missing = "keep"\n')
    assert dataset.info.n_events == 2
    assert pq.read_table(dataset.items)["item_id"].to_pylist() == ["a", "b", "c", "new"]
    assert dataset.info.n_items_without_text == 1


def test_users_are_united(shop: Shop) -> None:
    """Users come from events and files; a second row of one is refused, and the first kept."""
    dataset = shop.ingest(
        GOOD,
        users="user,town\nu, Bern \nu,Basel\n,Chur\nidle,\n",
        config=EVENTS + ITEMS + USERS,
        on_error="keep",
    )
    assert sorted(pq.read_table(dataset.users).to_pylist(), key=lambda row: row["user_id"]) == [
        {"user_id": "idle", "n_events": 0, "town": None},
        {"user_id": "u", "n_events": 1, "town": "Bern"},
    ]
    assert rejects(dataset) == [
        ("users.csv", 3, "user id was given before"),
        ("users.csv", 4, "user id is missing"),
    ]


def test_odd_texts_never_stop_a_run(shop: Shop) -> None:
    """NUL, lone surrogates, broken UTF-8, Chinese and a text of 1 MB come through."""
    long = "长" * 350_000
    rows = [
        '{"id": "a", "title": "x\\u0000y"}',
        '{"id": "b", "title": "x\\ud800y", "more": NaN}',
        '{"id": "c", "title": "\\ud83d\\ude00 霸王别姬"}',
        json.dumps({"id": "d", "title": long}),
        "[1, 2]",
        "\x01",
    ]
    content = "\n".join(rows).encode() + b'\n{"id": "e", "title": "x\xffy"}\n'
    dataset = shop.ingest(GOOD, items=shop.write("i.jsonl", content))
    found = dict(zip(*(pq.read_table(dataset.items)[name].to_pylist() for name in ("item_id", "text")), strict=True))
    assert found == {"a": "x\ufffdy", "b": "x\ufffdy", "c": "😀 霸王别姬", "d": long, "e": "x\ufffdy"}
    assert [(line, reason) for _, line, reason in rejects(dataset)] == [
        (5, "not a JSON object"),
        (6, "not a JSON object"),
    ]


def test_ids_that_are_no_text_are_refused(shop: Shop) -> None:
    """An id with broken bytes is refused: two of them could not be told apart."""
    content = GOOD.encode() + b"u\xff,a,1\nu,a\x00,1\nu,b,1,\xff\n"
    dataset = shop.ingest(content, items="id,title\na,\xff\n".encode("latin-1"))
    assert rejects(dataset) == [
        ("events.csv", 3, "user id holds bytes that are no text"),
        ("events.csv", 4, "item id holds bytes that are no text"),
        ("events.csv", 5, "4 fields where 3 were expected"),
    ]


def test_scales(shop: Shop) -> None:
    """Scales are fitted over values and gaps that are there; a single one gives deviation 1."""
    config = EVENTS + 'value = "v"\nvalue_scale = "log"\nquantity = "q"\nprice = "p"\n' + ITEMS
    dataset = shop.ingest("user,item,time,v,q,p\nu,a,0,1,2,3\nu,b,1,,-1,\nw,a,7,1,,\n", config=config)
    info = dataset.info
    for scale in (info.value, info.gap):
        assert scale.mean == pytest.approx(0.6931472)
        assert (scale.std, scale.log) == (1.0, True)
    quantities = [(row["quantity"], row["price"]) for row in events(dataset)]
    assert sorted(quantities, key=str) == sorted([(2.0, 3.0), (-1.0, None), (None, None)], key=str)


def test_events_against_a_catalogue(shop: Shop) -> None:
    """Against the catalogue of an index, items keep its numbers, and unknown ones are refused."""
    first = shop.ingest(GOOD, out=shop.root / "first")
    config = load_events_only(shop)
    path = shop.write("later.csv", HEAD + "v,c,1\nv,q,2\n")
    dataset = ingest(config, [path], [], [], shop.root / "second", catalogue=first.items)
    assert [row["item"] for row in events(dataset)] == ["c"]
    assert rejects(dataset) == [("later.csv", 3, "item is in no item file")]
    for broken in (shop.root / "none.parquet", first.users):
        with pytest.raises(InputError, match="catalogue"):
            ingest(config, [path], [], [], shop.root / "third", catalogue=broken)


def test_existing_data_set_is_not_replaced_unasked(shop: Shop) -> None:
    """An output that is taken is a usage error unless replacing was asked for."""
    shop.ingest(GOOD)
    with pytest.raises(UsageError, match="--force"):
        ingest(
            load_events_only(shop),
            [shop.root / "events.csv"],
            [],
            [],
            shop.root / "dataset",
            catalogue=Path("x"),
        )


def test_too_little_memory_is_a_machine_error(shop: Shop) -> None:
    """Where the memory allowed is too little, the error says to raise it."""
    rows = HEAD + "".join(f"user-{n},a,{n}\n" for n in range(20_000))
    with pytest.raises(MachineError, match="Raise --memory"):
        shop.ingest(rows, memory="1MB", threads=1)


def test_default_buckets() -> None:
    """Buckets are a power of two, with about 50,000 users or a million events in each, whichever makes more of them."""
    assert [default_buckets(n, n) for n in (0, 1, 50_000, 50_001, 100_001, 1_000_000)] == [1, 1, 1, 2, 4, 32]
    assert [default_buckets(6_000, n) for n in (1_000_000, 1_048_577, 20_000_000)] == [1, 2, 32]
    assert default_buckets(10**9, 10**12) == 8192


def test_buckets_are_by_md5(shop: Shop) -> None:
    """A user's bucket depends on the id alone, and within a bucket users are sorted by id."""
    rows = HEAD + "".join(f"u{n},a,{n}\n" for n in range(50))
    dataset = shop.ingest(rows, config=EVENTS + ITEMS + "[ingest]\nbuckets = 4\n")
    users = pq.read_table(dataset.users)["user_id"].to_pylist()
    bucket = {user: int(hashlib.md5(user.encode()).hexdigest()[:8], 16) % 4 for user in users}  # noqa: S324
    assert users == sorted(users, key=lambda user: (bucket[user], user))
    counts = Counter(bucket.values())
    firsts = dataset.info.bucket_users
    assert [stop - first for first, stop in pairwise(firsts)] == [counts[n] for n in range(4)]


def test_progress_is_reported(shop: Shop) -> None:
    """Every byte of every file is reported once, then the steps after reading."""
    seen: list[tuple[int, str]] = []
    shop.ingest(GOOD, report=lambda done, note="": seen.append((done, note)))
    size = sum((shop.root / name).stat().st_size for name in ("events.csv", "items.csv"))
    assert sum(done for done, _ in seen) == size
    assert [note for done, note in seen if not done][-2:] == ["sorting", "writing bucket 1 of 1"]


CELLS = st.tuples(
    st.sampled_from(["u1", "u2", "u3", "", " u1 ", "ü", '"q"', "x\x00"]),
    st.sampled_from(["a", "b", "c", "", "zzz"]),
    st.one_of(st.integers(-2, 30).map(str), st.sampled_from(["", "x", "nan", "1e99", "2.5"])),
    st.sampled_from(["", "one", "two\nlines", 'a "quoted" one', "ends, here"]),
)


def _csv(rows: list[tuple[str, ...]]) -> str:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows]
    return "user,item,time,note\n" + "".join(quoted)


@settings(max_examples=12)
@given(st.lists(CELLS.filter(any), min_size=1, max_size=25))
def test_nothing_is_lost(rows: list[tuple[str, ...]]) -> None:
    """Rows kept and refused are all rows, in order, and the bytes are the same with other threads."""
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        config = EVENTS + ITEMS + "[ingest]\nbuckets = 2\n"
        content = _csv([("u9", "a", "7", ""), *rows])
        dataset = shop.ingest(content, config=config, threads=1)
        found = events(dataset)
        assert len(found) + len(rejects(dataset)) == len(rows) + 1
        assert dataset.info.n_events == len(found)
        assert [(row["user"], row["position"]) for row in found] == [
            (user, place) for user, count in _runs(found) for place in range(count)
        ]
        for before, after in pairwise(found):
            assert before["user"] != after["user"] or before["time"] <= after["time"]
        lines = {3 + sum(1 + row[3].count("\n") for row in rows[:place]) for place in range(len(rows))}
        assert {line for _, line, _ in rejects(dataset)} <= lines
        again = shop.ingest(content, config=config, threads=2, out=Path(folder) / "again")
        assert again.manifest.digest == dataset.manifest.digest


def _runs(found: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return list(Counter(row["user"] for row in found).items())


COUNTS = {
    "amazon-beauty": (22_363, 12_101, 198_502, 198_502, 12_101),
    "ml-1m": (6_040, 3_883, 1_000_209, 999_611, 3_706),
    "online-retail": (4_372, 3_684, 406_829, 406_829, 3_684),
    "mind-subset": (4_637, 51_282, 138_932, 138_932, 16_000),
    "douban-zh": (0, 1_000, 0, 0, 0),
}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", COUNTS)
def test_real_data_sets_have_their_published_counts(shared_data: Path, tmp_path: Path, name: str) -> None:
    """The examples ingest the real data sets whole, without a single reject."""
    config = load_config(Path(__file__).parents[3] / "examples" / f"{name}.toml")
    events, items, users = (
        [path for path in sorted((shared_data / name).iterdir()) if path.name.startswith(kinds)]
        for kinds in (("events", "impressions"), "items", "users")
    )
    dataset = ingest(config, events, items, users, tmp_path / "dataset")
    info = dataset.info
    found = (info.n_users, info.n_items, info.n_events, info.n_ordered, info.n_items_with_events)
    assert found == COUNTS[name]
    assert info.n_rejects == info.n_items_without_text == 0
    if name == "online-retail":
        catalogue = pq.read_table(dataset.items).to_pylist()
        unranked = sorted(row["item_id"] for row in catalogue if not row["rankable"])
        assert unranked == ["BANK CHARGES", "C2", "CRUK", "D", "DOT", "M", "PADS", "POST"]
