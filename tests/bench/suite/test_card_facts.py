"""The machine's card for people."""

from __future__ import annotations

from dataclasses import replace

from engine_bench.suite.card_facts import UNKNOWN, card_facts
from tiny_records import CARD


def test_a_card_reads_in_units_of_people() -> None:
    """Bytes become MiB and GiB, devices have a line each, and what is not told is said so."""
    found = card_facts(replace(CARD, gpus=("Example GPU",), quota=1.5))
    assert found["memory"] == "16.0 GiB"
    assert found["caches"] == "L2 1 MiB"
    assert found["CPUs"] == "2, of which 1.5 are granted"
    assert found["GPU 0"] == "Example GPU"
    assert found["frequency policy"] == UNKNOWN
    assert found["card's digest"] != CARD.digest
