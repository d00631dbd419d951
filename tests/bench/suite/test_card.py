"""The machine's card."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine_bench.suite import card
from engine_bench.suite.card import Card, differences, read_card

CARD = Card(
    processor="Example 9000",
    features=("avx2", "avx512_vnni"),
    cpus=2,
    caches={"L2": 1 << 20},
    quota=None,
    governor="performance",
    turbo="0",
    memory=1 << 34,
    gpus=(),
    kernel="Linux 6",
    libraries={"numpy": "2.4"},
)


def test_this_machine_has_a_card_of_its_own() -> None:
    """A card taken twice is the same, and names what runs here."""
    taken = read_card()
    assert taken == read_card()
    assert taken.digest == read_card().digest
    assert taken.cpus >= 1
    assert taken.memory > 1 << 28
    assert "numpy" in taken.libraries


def test_equal_cards_differ_in_nothing() -> None:
    """Results of one machine may be compared."""
    assert differences(CARD, replace(CARD)) == ()


def test_a_difference_names_the_fact_and_both_values() -> None:
    """A reader is told what differs: a library, a feature, a cache."""
    other = replace(CARD, libraries={"numpy": "2.5"}, features=("avx2",), caches={"L2": 1 << 21})
    assert differences(CARD, other) == (
        "caches L2: 1048576 and 2097152",
        "feature avx512_vnni: there and unknown",
        "libraries numpy: 2.4 and 2.5",
    )
    assert CARD.digest != other.digest


def test_a_control_groups_quota_is_in_cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """150 ms of each 100 ms are one CPU and a half; ``max`` is no limit."""
    file = tmp_path / "cpu.max"
    monkeypatch.setattr(card, "QUOTA", file)
    file.write_text("150000 100000\n")
    assert read_card().quota == 1.5
    file.write_text("max 100000\n")
    assert read_card().quota is None


def test_what_a_system_does_not_tell_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the files of Linux a card is still made."""
    for name in ("CPU", "QUOTA", "MEMINFO"):
        monkeypatch.setattr(card, name, tmp_path / "absent")
    taken = read_card()
    assert (taken.caches, taken.quota, taken.governor) == ({}, None, "")
    assert taken.memory > 1 << 28


def test_devices_are_those_that_the_tool_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of NVIDIA's tool is a device; a failing tool means none."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'Example GPU, 560.1, 9.0, 1980 MHz, Disabled, 80 GiB'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert read_card().gpus == ("Example GPU, 560.1, 9.0, 1980 MHz, Disabled, 80 GiB",)
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert read_card().gpus == ()
