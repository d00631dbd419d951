"""Numbers, shares and lists as a language writes them. Pure; knows its phrases, and nothing of what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine_runtime.profile.phrases import Phrases

HALF = 0.5
FAINT = 0.05
WHOLE = 1 - 1e-4
"""More than this is all: shares are of float32, and do not sum to 1 exactly."""


def ranked(named: Sequence[tuple[str, float]], words: Phrases) -> str:
    """Names with their shares, largest first: what leads, what follows, what hardly counts."""
    (first, share), *rest = named
    if not rest and share > WHOLE:
        return words.only.format(first)
    lead = words.mostly if share >= HALF else words.first
    said = lead.format(noted(first, share, words))
    clear = [noted(name, part, words) for name, part in rest if part >= FAINT]
    faint = [noted(name, part, words) for name, part in rest if part < FAINT]
    for phrase, names in ((words.also, clear), (words.faintly, faint)):
        said += phrase.format(listed(names, words)) if names else ""
    return said


def noted(name: str, share: float, words: Phrases) -> str:
    """A name with its share."""
    return words.note.format(name, percent(share))


def listed(parts: Sequence[str], words: Phrases) -> str:
    """One or more parts, in one line."""
    return words.between.join(parts[:-1]) + words.before_last + parts[-1] if parts[1:] else parts[0]


def percent(share: float) -> str:
    """Whole per cent; neither none nor all where it is only nearly so."""
    return "<1%" if share < 0.005 else ">99%" if 0.995 <= share <= WHOLE else f"{share:.0%}"


def number(amount: float) -> str:
    """Whole from ten on and where it is whole, else with one decimal."""
    short = f"{amount:,.0f}" if abs(amount) >= 10 else f"{amount:,.1f}"
    return short.removesuffix(".0")


def money(amount: float, currency: str) -> str:
    """An amount to the hundredth, with its currency where that is known."""
    return f"{amount:,.2f} {currency}".rstrip()


def date(moment: datetime, words: Phrases) -> str:
    """A day."""
    return words.date.format(year=moment.year, month=words.months[moment.month - 1], day=moment.day)


def line(text: str) -> str:
    """A name or title without line breaks."""
    return " ".join(text.split())
