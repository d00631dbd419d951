"""`engine bench encoder` as a user calls it."""

from __future__ import annotations

import json

import pytest

from engine_runtime.cli import run


def test_an_encoder_alone_is_one_document(inputs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the result is all that stdout holds."""
    assert run(["bench", "encoder", *inputs, "--memory-texts=30", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["streamed"][0]["texts"] == 30
    assert found["texts"] == 20
