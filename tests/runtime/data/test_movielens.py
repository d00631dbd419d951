"""ML-100K out of archives that are made here."""

from __future__ import annotations

import zipfile
from pathlib import Path

from archives import GROUPLENS, RECBOLE, zipped
from engine_runtime.data.movielens import read_publisher, read_wheel


def test_both_archives_give_the_same_files(tmp_path: Path) -> None:
    """The publisher's archive, in Latin-1, and the wheel come out as the same files, unknown titles empty."""
    with zipfile.ZipFile(zipped(tmp_path / "zip", GROUPLENS, "latin-1")) as archive:
        published = read_publisher(archive)
    with zipfile.ZipFile(zipped(tmp_path / "wheel", RECBOLE)) as archive:
        assert read_wheel(archive) == published
    lines = {name: content.decode().splitlines() for name, content in published.items()}
    assert lines["items.tsv"] == [
        "item_id\ttitle\tyear\tgenres",
        "1\tMisérables, Les\t1995\tDrama, Film-Noir",
        "2\t\t\t",
        "3\tLand\t1995\tAnimation, Children's",
    ]
    assert lines["events.tsv"][1:] == ["1\t1\t4\t10", "1\t2\t5\t11", "2\t1\t3\t20"]
    assert lines["users.tsv"] == ["user_id\tage\tgender\toccupation", "1\t24\tM\ttechnician", "2\t53\tF\tother"]
