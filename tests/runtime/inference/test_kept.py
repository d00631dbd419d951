"""What was measured is found again, on the same machine and for the same artefact alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from engine_runtime.inference.kept import KeptBudget, keep_budget, kept_budget, kept_budgets

KEPT = KeptBudget("m" * 64, "a" * 64, "int8", 256, {256: 1000.0, 512: 990.5})


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROFILE_ENGINE_HOME", str(tmp_path))


def test_what_is_kept_is_found() -> None:
    """The newest measurement of a variant on a machine is what counts."""
    assert kept_budget("m" * 64, "a" * 64, "int8") is None
    assert kept_budgets("m" * 64) == []
    keep_budget(dataclasses.replace(KEPT, budget=512))
    keep_budget(KEPT)
    assert kept_budget("m" * 64, "a" * 64, "int8") == 256
    assert kept_budgets("m" * 64) == [KEPT]


def test_others_do_not_find_it() -> None:
    """Neither another machine nor another artefact or variant takes it, even where names begin alike."""
    keep_budget(KEPT)
    assert kept_budget("m" * 63 + "n", "a" * 64, "int8") is None
    assert kept_budget("m" * 64, "a" * 63 + "b", "int8") is None
    assert kept_budget("m" * 64, "a" * 64, "fp32") is None
    assert kept_budgets("m" * 63 + "n") == []


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"budget": "x"}'])
def test_what_cannot_be_read_was_not_measured(content: bytes) -> None:
    """A damaged file, and a budget of nothing, are passed over."""
    keep_budget(KEPT).write_bytes(content)
    assert kept_budget("m" * 64, "a" * 64, "int8") is None
    keep_budget(dataclasses.replace(KEPT, budget=0))
    assert kept_budgets("m" * 64) == []
