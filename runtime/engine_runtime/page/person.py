"""One user as the page takes them, and how they are to be shown. Plain values; knows neither files nor markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine_runtime.page.words import say
from engine_runtime.profile.explanation import Explanation


@dataclass(frozen=True)
class Person:
    """A user, served and explained.

    Attributes
    ----------
    row
        Their row of the output, as plain values: what they are like.
    written
        The profile in sentences.
    currency
        Of what they spent; empty where it is not known.
    explanation
        Where their interests and recommendations come from.
    """

    row: Mapping[str, Any]
    written: Sequence[str]
    currency: str
    explanation: Explanation

    @property
    def user_id(self) -> str:
        """As the data set names them."""
        return self.explanation.user_id


@dataclass(frozen=True)
class View:
    """How a user is shown.

    Attributes
    ----------
    language
        One of `engine_runtime.page.words.LANGUAGES`.
    anchor
        Begins every id in the user's part of the page; of letters, digits and hyphens.
    level
        Of the heading that names the user; parts below have the next ones.
    most_events
        How many events are listed at once; the others are one line with their sum.
    all_events
        Whether that line is followed by a list of them, to be opened.
    """

    language: str
    anchor: str = "profile"
    level: int = 1
    most_events: int = 8
    all_events: bool = True

    def say(self, key: str, **blanks: object) -> str:
        """A phrase in the language of the page."""
        return say(self.language, key, **blanks)
