"""How figures are read out."""

from __future__ import annotations

import pytest

from engine_bench.suite.page.units import measure, number, seconds, short, spell


@pytest.mark.parametrize(
    ("name", "value", "label", "unit", "text"),
    [
        ("users_per_second", 2235.4, "users", "/s", "2,235"),
        ("load_seconds", 0.598, "load", "ms", "598"),
        ("build_seconds", 6.2, "build", "s", "6.20"),
        ("peak_bytes", 4.4e8, "peak memory", "MB", "440"),
        ("late_share", 0.0021, "late", "%", "0.210"),
        ("cpu_seconds_per_request", 0.0081, "CPU time per request", "ms", "8.10"),
        ("growth_bytes_per_1000_batches", -2100.0, "growth per 1000 batches", "kB", "-2.10"),
        ("requests_per_call", 2.5, "requests per call", "", "2.50"),
        ("recall", 0.986, "recall", "", "0.986"),
    ],
)
def test_ending_is_the_unit(name: str, value: float, label: str, unit: str, text: str) -> None:
    """The ending of a name says in which unit it is shown, and what is left is its label."""
    read = measure(name, value)
    assert (read.label, read.unit, read.text(value)) == (label, unit, text)


def test_title_names_label_and_unit() -> None:
    """An axis says what it shows and in what."""
    assert measure("users_per_second", 1).titled == "users per second"
    assert measure("load_seconds", 0.5).titled == "load, ms"
    assert measure("recall", 0.5).titled == "recall"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (12345.6, "12,346"), (123.4, "123"), (0.06012, "0.0601"), (1.5e-8, "1.5e-08"), (-2.5, "-2.50")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    """Three digits are shown, all of them from 1,000 on."""
    assert number(value) == text


def test_short_numbers_end_without_zeros() -> None:
    """Zeros at the end are left out, others stay."""
    assert [short(value) for value in (0.9490, 20.0, 1000.0, 1.5e-8)] == ["0.949", "20", "1,000", "1.5e-08"]


def test_numbers_and_durations_of_sentences() -> None:
    """Large numbers are spelt, and a duration has its unit."""
    assert spell(4_022_925) == "4.02 million"
    assert spell(544) == "544"
    assert [seconds(0.0031), seconds(2.5)] == ["3.10 ms", "2.50 s"]
