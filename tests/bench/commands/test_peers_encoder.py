"""`engine bench peers encoder` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine_export.sources import EncoderSource
from engine_runtime.cli import run
from engine_runtime.errors import MachineError


def test_peers_are_shown_and_kept(
    inputs: list[str], source: EncoderSource, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Machine, table and settings are printed; the file has the same rows with all rounds."""
    out = tmp_path / "peers.json"
    options = [f"--weights={source.folder}", "--peers=ours-fp32", "--latency-calls=0", f"--out={out}"]
    assert run(["bench", "peers", "encoder", *inputs, *options]) == 0
    said = capsys.readouterr().out
    kept = json.loads(out.read_bytes())
    assert [row["name"] for row in kept["rows"]] == ["ours-int8", "ours-fp32"]
    assert [len(row["laps"]) for row in kept["rows"]] == [1, 1]
    assert kept["fingerprint"]["int8_sha256"] in said
    for expected in ("measured on", "20 texts", "ours-fp32", "how each ran", "overlap@10"):
        assert expected in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--peers=no"], "unknown peer 'no'"),
        ([], "the encoder 'tiny-bert' is no folder here"),
    ],
)
def test_what_cannot_be_compared(
    inputs: list[str],
    options: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An unknown peer is a usage error; an encoder whose weights are not here cannot be given to peers."""
    monkeypatch.setattr("engine_export.sources._from_hub", _offline)
    assert run(["bench", "peers", "encoder", *inputs, *options]) in (2, 3)
    assert said in capsys.readouterr().err


def _offline(name: str) -> Path:
    raise MachineError(f"the encoder '{name}' is no folder here")


def test_other_weights_are_refused(
    inputs: list[str], tmp_path: Path, source: EncoderSource, capsys: pytest.CaptureFixture[str]
) -> None:
    """Peers get the weights that the encoder was exported from, or none."""
    other = tmp_path / "other"
    other.mkdir()
    for path in source.folder.iterdir():
        content = path.read_bytes()
        (other / path.name).write_bytes(content + b" " if path.name.endswith(".safetensors") else content)
    assert run(["bench", "peers", "encoder", *inputs, f"--weights={other}"]) == 2
    assert "the encoder was exported from" in capsys.readouterr().err
