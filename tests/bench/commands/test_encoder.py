"""`engine bench encoder` as a user calls it."""

from __future__ import annotations

import json

import pytest

from engine_bench.commands.encoder import _counts
from engine_runtime.cli import run
from engine_runtime.errors import UsageError


def test_an_encoder_alone_is_one_document(inputs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the result is all that stdout holds."""
    assert run(["bench", "encoder", *inputs, "--memory-texts=30", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["streamed"][0]["texts"] == 30
    assert found["texts"] == 20


def test_numbers_of_texts() -> None:
    """They are separated by commas, and there may be none."""
    assert _counts("") == []
    assert _counts("12101,1000000") == [12101, 1000000]
    for wrong in ("a", "0", "5,-1"):
        with pytest.raises(UsageError, match="--memory-texts takes numbers"):
            _counts(wrong)
