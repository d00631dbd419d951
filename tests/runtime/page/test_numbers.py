"""Numbers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine_runtime.page.numbers import amount, date, fine_percent, money, percent, percent_text, points


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0%"),
        (0.0001, "<0.1%"),
        (-0.0001, ">−0.1%"),
        (0.031, "3.1%"),
        (0.0996, "10%"),
        (0.995, "100%"),
        (-0.1, "−10%"),
    ],
)
def test_percentages(share: float, text: str) -> None:
    """One decimal below ten, none above; a minus is a minus; a little is not nothing."""
    assert percent_text(share) == text


def test_the_exact_number_stands_behind() -> None:
    """Whatever is shown, the number can be read back to the last digit."""
    assert percent(1 / 3) == '<data value="0.3333333333333333">33%</data>'
    assert fine_percent(0.03125) == '<data value="0.03125">3.12%</data>'
    assert points(-0.25) == '<data value="-0.25">−0.2500</data>'
    assert amount(1234.6) == '<data value="1234.6">1,235</data>'
    assert money(-1234.5, "GBP") == '<data value="-1234.5">−1,234.50 GBP</data>'


def test_dates_by_language() -> None:
    """A day in words, and for machines in ISO 8601."""
    day = datetime(2011, 12, 9, tzinfo=UTC)
    assert date(day, "en") == '<time datetime="2011-12-09T00:00:00+00:00">9 December 2011</time>'
    assert "2011 年 12 月 9 日" in date(day, "zh")
