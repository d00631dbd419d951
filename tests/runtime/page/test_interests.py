"""Interests on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine_runtime.page.interests import interests
from engine_runtime.page.person import View
from profile_reading import read
from sample_people import HOSTILE, INTERESTS, known, unknown


def test_interests_unfold_to_events_that_sum_to_them() -> None:
    """Each interest has its weight, and within it each event's exact part, and their sum."""
    found = read(interests(known(), View("en")))
    for drawn, interest in zip(found.all("details"), INTERESTS, strict=True):
        weight, *parts, together = drawn.numbers
        assert weight == together == interest.weight
        assert parts == [part.weight for part in interest.events]
        assert sum(parts) == weight
    assert HOSTILE in found.all("details")[1].text
    assert "17 June 2011" in found.all("details")[0].text
    assert found.all("li", kind="rest")[0].numbers == pytest.approx([0.21875])


def test_events_beyond_the_most_are_one_line() -> None:
    """Where not all are listed the others are counted, and their sum is shown."""
    of_many = read(interests(known(), View("en", most_events=1, all_events=False))).all("details", kind="interest")[1]
    assert of_many.numbers == [0.25, 0.125, 0.125, 0.25]
    assert "2 other events" in of_many.text
    alone = read(interests(known(), View("en", most_events=1))).all("details", kind="interest")[1]
    assert alone.numbers == [*of_many.numbers, 0.0625, 0.0625]
    assert alone.all("details")[0].numbers == [0.0625, 0.0625]


def test_nothing_known_is_said() -> None:
    """A person without events is told that there is nothing yet."""
    assert "Nothing is known" in read(interests(unknown(), View("en"))).text


def test_what_is_stated_stands_beside_the_events() -> None:
    """What a person has stated themselves is a part of the interest like an event's."""
    stated = replace(INTERESTS[0], weight=0.625, stated=0.125)
    person = replace(known(), explanation=replace(known().explanation, interests=(stated,)))
    found = read(interests(person, View("en"))).all("details")[0]
    assert found.numbers == [0.625, 0.375, 0.125, 0.0, 0.125, 0.625]
    assert "What you have stated yourself" in found.text
