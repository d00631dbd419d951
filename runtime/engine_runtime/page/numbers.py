"""Numbers and dates as people read them, in a language, with the exact number beside what is shown.

Knows formats; knows nothing of what a number is of.
"""

from __future__ import annotations

from datetime import datetime

from engine_runtime.page.markup import Markup, element
from engine_runtime.profile import wording
from engine_runtime.profile.phrases import PHRASES

MINUS = "−"


def percent(share: float) -> Markup:
    """A share as a percentage: one decimal, none from ten on; ``<0.1%`` where it is next to nothing."""
    return exactly(percent_text(share), share)


def percent_text(share: float) -> str:
    """The text of `percent`."""
    size = abs(share)
    if 0 < size < 0.0005:
        return "<0.1%" if share > 0 else f">{MINUS}0.1%"
    text = f"{size:.0%}" if size >= 0.0995 else f"{size:.1%}"
    return f"{MINUS}{text}" if share < 0 else text


def fine_percent(share: float) -> Markup:
    """A share with two decimals: small parts that are to be added up."""
    return exactly(f"{share:.2%}", share)


def points(score: float) -> Markup:
    """A score or a part of one, four decimals."""
    return exactly(f"{score:.4f}", score)


def amount(count: float) -> Markup:
    """A count or a rate: whole from ten on and where it is whole, else with one decimal."""
    return exactly(wording.number(count), count)


def money(sum_: float, currency: str) -> Markup:
    """A sum of money; without a currency where it is not known."""
    return exactly(wording.money(sum_, currency), sum_)


def exactly(text: str, value: float) -> Markup:
    """What is shown, with a true minus, and for machines the number behind it."""
    return element("data", text.replace("-", MINUS), value=repr(value))


def date(moment: datetime, language: str) -> Markup:
    """A day."""
    return element("time", wording.date(moment, PHRASES[language]), datetime=moment.isoformat())
