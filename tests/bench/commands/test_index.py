"""`engine bench index` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine_runtime.cli import run

TINY = ["--dim=16", "--queries=20", "--m=8", "--ef-construction=50", "--rounds=1", "--threads=1"]


def test_indexes_are_shown_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Machine, tables and settings are printed; the file has the rows of each size with all rounds."""
    out = tmp_path / "index.json"
    assert run(["bench", "index", "--vectors=200,300", "--contenders=hnswlib", *TINY, f"--out={out}"]) == 0
    said = capsys.readouterr().out
    kept = json.loads(out.read_bytes())
    assert [contest["n_items"] for contest in kept["contests"]] == [200, 300]
    assert [row["name"] for row in kept["contests"][0]["rows"]] == ["ours", "hnswlib"]
    assert len(kept["contests"][0]["rows"][0]["paces"][0]["laps"]) == 1
    for expected in ("measured on", "200 vectors of 16", "recall against rate", "how each ran", "ours is"):
        assert expected in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--contenders=no"], "unknown contender 'no'"),
        (["--vectors=many"], "--vectors takes numbers"),
        (["--index=."], "go together"),
    ],
)
def test_what_cannot_be_compared(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown contenders, sizes that are none, and an index without those who ask it are usage errors."""
    assert run(["bench", "index", *options]) == 2
    assert said in capsys.readouterr().err
