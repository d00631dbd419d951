"""`engine bench refiner` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine_bench.refiners.entry import REPLAY_ABSENT
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.run import Run
from engine_runtime.cli import run


def test_refiners_are_shown_and_kept(
    bundle: Bundle, trained: Run, visited: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All is printed, and kept with the rounds; the network in PyTorch gives what the float32 graph does."""
    out = tmp_path / "refiner.json"
    options = [f"--bundle={bundle.root}", f"--run={trained.root}", f"--dataset={visited.root}"]
    assert run(["bench", "refiner", *options, "--users=12", "--rounds=1", f"--out={out}"]) == 0
    said = capsys.readouterr().out
    kept = json.loads(out.read_bytes())
    assert [row["name"] for row in kept["rows"]] == ["ours-int8", "ours-int8-top10", "ours-fp32", "torch"]
    assert (kept["users"], kept["events"]) == (12, 12 * bundle.info.shape.max_events)
    assert kept["left_out"] == {"replay": REPLAY_ABSENT}
    assert (kept["bundle"], list(kept["parity"])) == (bundle.manifest.digest, ["int8"])
    assert min(kept["rows"][3]["cosine"].values()) > 0.9999
    for expected in ("measured on", bundle.manifest.digest[:12], "12 users", "how each ran", "parity", "--replay"):
        assert expected in said
