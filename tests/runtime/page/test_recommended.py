"""Recommendations on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine_runtime.page.person import View
from engine_runtime.page.recommended import parts_of, recommended
from engine_runtime.profile.explanation import Reason
from profile_reading import read
from sample_people import FIRST, HOSTILE, POPULAR, SECOND, known, unknown


@pytest.mark.parametrize("reason", [FIRST, SECOND, POPULAR])
def test_parts_sum_to_the_score(reason: Reason) -> None:
    """What the colours stand for is the whole score."""
    assert sum(share for _, share in parts_of(reason)) == reason.score


def test_reasons_are_said_and_numbers_are_exact() -> None:
    """A card has its reasons in words, what would be without, and both splits of the score with their sums."""
    first, second = read(recommended(known(), View("en"))).all("ol", kind="cards")[0].children
    assert "Because of your purchase of" in first.text
    assert "it would be number 7" in first.text
    by_part, by_event = (table.numbers for table in first.all("table"))
    assert by_part == [5.0, 2.0, 1.0, 2.0, -1.0, 9.0]
    assert by_event == [7.5, 2.5, -1.0, 9.0]
    assert sum(by_part[:-1]) == sum(by_event[:-1]) == FIRST.score
    assert first.all("ul", kind="key")[0].numbers == [0.5, 0.2, 0.1, 0.2, -0.1]
    assert "speaks against it" in first.text
    assert second.all("h3")[0].text == f"– {HOSTILE}"
    assert "Not on your list" in second.text


def test_chinese_says_it_in_chinese() -> None:
    """Sentences and parts are in the language of the page; titles stay."""
    first = read(recommended(known("zh"), View("zh"))).all("ol", kind="cards")[0].children[0]
    assert "因为你对“Regency teapot, roses”的购买" in first.text
    assert "它会排在第 7 位" in first.text
    assert "Because" not in first.text


def test_a_person_without_events_is_shown_what_is_popular() -> None:
    """The whole bar is popularity, and no event is made up."""
    card = read(recommended(unknown(), View("en")))
    assert card.all("ul", kind="key")[0].numbers == [1.0]
    assert "Because" not in card.text


def test_what_is_stated_is_no_event() -> None:
    """What a person has stated of an interest has a row of its own in the split by events."""
    stated = replace(FIRST, stated=1.0, events=(replace(FIRST.events[0], share=9.0),))
    person = replace(known(), explanation=replace(known().explanation, items=(stated,)))
    by_event = read(recommended(person, View("en"))).all("table")[1]
    assert by_event.numbers == [9.0, 1.0, -1.0, 9.0]
    assert "What you have stated yourself" in by_event.text


def test_events_beyond_the_most_can_be_opened() -> None:
    """The split by events stays a sum with one line for the others, which are listed below it."""
    by_event, others = read(recommended(known(), View("en", most_events=1))).all("table")[1:3]
    assert by_event.numbers == [7.5, 2.5, -1.0, 9.0]
    assert "1 other event" in by_event.text
    assert others.numbers == [2.5]
