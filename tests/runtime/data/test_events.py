"""Events read a batch at a time: where the batches are cut does not matter."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from engine_runtime.data import staging
from engine_runtime.data.clean import define_macros
from shops import EVENTS, ITEMS, Shop, rejects

DAYS = {
    "1.csv": "user,item,time\nu1,a,100\nu2,b,7\n,a,5\nu1,b,soon\n",
    "2.csv": "user,item,time\nu1,a,100\n  u3 ,c,30\nu2,zzz,8\n",
    "3.csv": "user,item,time\nu3,b,30\nu1,c,50\nu2,b,7\n",
}
LISTS = {"1.csv": "user,items\nu1,a b\nu2,\n", "2.csv": "user,items\nu3,c\n,a\nu2,\n"}
LISTED = '[events]\nuser = "user"\nitem_list = "items"\nseparator = " "\n'


@pytest.mark.parametrize(
    ("files", "config"), [(DAYS, EVENTS + 'time_format = "seconds"\nduplicates = "drop"\n'), (LISTS, LISTED)]
)
def test_batches_do_not_matter(
    files: dict[str, str], config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch a file gives the data set that one batch of all gives, repeats and refused rows included."""
    shop = Shop(tmp_path)
    for name, content in files.items():
        shop.write(f"log/{name}", content)
    at_once = shop.ingest(tmp_path / "log", config=config + ITEMS, out=tmp_path / "once")
    monkeypatch.setattr(staging, "BATCH_ROWS", 1)
    in_parts = shop.ingest(tmp_path / "log", config=config + ITEMS, out=tmp_path / "parts")
    assert in_parts.manifest.digest == at_once.manifest.digest
    assert rejects(in_parts)
    assert in_parts.info.n_users == 3


def test_what_is_cut_from_cells() -> None:
    """Blanks of all kinds go from both ends and stay inside; what is nothing else is null; a zero byte is no text."""
    cells = {
        "plain": "plain",
        "two words": "two words",
        " \tleft": "left",
        "right\u00a0": "right",
        "\ufeffbom": "bom",
        "süß ": "süß",
        "tab\tin": "tab\tin",
        "a\0b": "a\ufffdb",
        "~!": "~!",
        " ": None,
        "": None,
        "\u3000": None,
    }
    with duckdb.connect() as con:
        define_macros(con)
        for cell, kept in cells.items():
            assert con.execute("SELECT tidy($cell)", {"cell": cell}).fetchall() == [(kept,)]
