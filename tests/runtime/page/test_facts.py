"""Spending and attributes on the page."""

from __future__ import annotations

from dataclasses import replace

from engine_runtime.page.facts import basics, spending
from engine_runtime.page.person import View
from profile_reading import read
from sample_people import HOSTILE, ROW, known, unknown


def test_spending_is_shown_in_full() -> None:
    """Sums with the currency, bands from low to high, brands with the largest first."""
    found = read("".join(spending(known(), View("en"))))
    assert found.numbers == [1234.5, 321.0, 3.85, 0.375, 0.5, 0.125, 0.75, 0.25]
    assert "1,234.50 GBP" in found.text
    assert HOSTILE in found.text


def test_an_estimate_is_called_one() -> None:
    """What is given has no probability; what is predicted is called an estimate, with its probability."""
    given, guessed = read("".join(basics(known(), View("en")))).all("dd")
    assert given.text == "United Kingdomon record"
    assert guessed.text == "35-44an estimate, 62% likely"
    assert guessed.numbers == [0.625]


def test_nothing_known_has_no_section() -> None:
    """A person without prices and attributes has neither."""
    assert spending(unknown(), View("en")) == []
    assert basics(unknown(), View("en")) == []


def test_common_attributes_are_named_in_the_language() -> None:
    """A name that the page knows is in its language; another stays, and so do values."""
    person = replace(
        known("zh"), row=ROW | {"basics": [*ROW["basics"], {"name": "x", "value": "y", "probability": None}]}
    )
    found = read("".join(basics(person, View("zh"))))
    assert [name.text for name in found.all("dt")] == ["国家", "年龄", "x"]
    assert "United Kingdom" in found.text
