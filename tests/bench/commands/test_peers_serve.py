"""`engine bench peers serve` as a user calls it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import fake_nights
from engine_bench.seat import Contender
from engine_bench.serving import entry
from engine_bench.serving.contest import OURS
from engine_export.sources import EncoderSource
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.cli import run


def test_nights_are_shown_and_kept(
    bundle: Bundle,
    visited: Dataset,
    source: EncoderSource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ours is real and runs beside a fake; machine, tables and settings are printed, the file has all rounds."""
    real = entry._contender
    fake = Contender(sys.executable, fake_nights.__file__, "slow")
    monkeypatch.setattr(entry, "_contender", lambda name: real(name) if name == OURS else fake)
    out = tmp_path / "serve.json"
    options = [f"--bundle={bundle.root}", f"--dataset={visited.root}", f"--weights={source.folder}", f"--out={out}"]
    more = ["--users=12", "--rounds=1", "--threads=1", "--peers=sentence-mean"]
    assert run(["bench", "peers", "serve", *options, *more]) == 0
    said, kept = capsys.readouterr().out, json.loads(out.read_bytes())
    assert [row["name"] for row in kept["rows"]] == ["ours", "sentence-mean"]
    assert kept["rows"][0]["n_users"] == 12
    for expected in ("measured on", "12 users with 48 events", "the whole night", "NDCG@10 less ours", "how each ran"):
        assert expected in said
