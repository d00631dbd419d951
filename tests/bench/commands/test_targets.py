"""`engine bench targets`."""

from __future__ import annotations

import json

import pytest

from engine_bench.suite.card import read_card
from engine_bench.suite.targets import PACKAGED, choose_target
from engine_runtime.cli import run


def test_the_table_names_all_targets_and_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """Every target has a line; one is the one that auto takes; the machine's card is below."""
    assert run(["bench", "targets"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in PACKAGED)
    assert printed.count("taken by auto") == 1
    assert printed.index("taken by auto") < printed.index("card's digest")


def test_the_document_says_what_is_unmet(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON each target has its needs, what is unmet, and whether auto takes it; the card has its digest."""
    assert run(["bench", "targets", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    card = read_card()
    assert [target["name"] for target in found["targets"] if target["auto"]] == [choose_target(None, card).name]
    assert all("avx2" in target["needs"]["all_of"] for target in found["targets"] if target["name"] == "cpu-avx2")
    assert all(not target["unmet"] for target in found["targets"] if target["auto"])
    assert found["machine"]["digest"] == card.digest
