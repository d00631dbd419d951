"""Habits on the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine_runtime.page.habits import habits
from engine_runtime.page.person import Person, View
from profile_reading import Node, read
from sample_people import ROW, known, unknown


def shown(person: Person) -> Node:
    return read("".join(habits(person, View("en"))))


def with_habits(**changed: Any) -> Person:
    return replace(known(), row=ROW | {"habits": ROW["habits"] | changed})


def test_every_hour_and_day_can_be_read() -> None:
    """The tables hold all shares, and the charts say the largest."""
    hours, days, types = shown(known()).all("figure")
    assert hours.numbers == ROW["habits"]["hours"]
    assert days.numbers == ROW["habits"]["weekdays"]
    assert types.numbers == [0.75, 0.25]
    assert "Most at 13:00: 50%." in hours.text
    assert "Most at Wednesday: 50%." in days.text


def test_a_log_of_days_has_no_hours() -> None:
    """Where all events are at midnight no hours are drawn, and it is said why."""
    found = shown(with_habits(hours=[1.0] + [0.0] * 23))
    assert len(found.all("figure")) == 2
    assert "knows days alone" in found.text


def test_a_log_without_times_has_types_alone() -> None:
    """Neither charts nor a word on time zones."""
    found = shown(with_habits(hours=None, weekdays=None, days_since_last=None, events_per_week=None))
    assert len(found.all("figure")) == 1
    assert "UTC" not in found.text


def test_nothing_is_said_of_no_events() -> None:
    """A person without events has no section of habits."""
    assert habits(unknown(), View("en")) == []
