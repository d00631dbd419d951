"""What a command says on stderr."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from engine_runtime import logs


@pytest.fixture
def machines() -> Iterator[None]:
    logs.speak("json")
    yield
    logs.speak("text")


def test_people_read_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """In plain text a line is itself, and an event is not said."""
    logs.line("parts are kept", "warning")
    logs.event("bucket done", {"bucket": 3})
    assert capsys.readouterr() == ("", "parts are kept\n")


@pytest.mark.usefixtures("machines")
def test_machines_read_documents(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is one JSON document with time, level and event; a line for people is a note in it."""
    logs.line("two\nlines, räksmörgås", "warning")
    logs.event("bucket done", {"bucket": 3, "seconds": 0.5})
    note, done = map(json.loads, capsys.readouterr().err.splitlines())
    assert (note["level"], note["event"], note["message"]) == ("warning", "note", "two\nlines, räksmörgås")
    assert (done["level"], done["event"], done["bucket"], done["seconds"]) == ("info", "bucket done", 3, 0.5)
    said_at = datetime.fromisoformat(done["time"])
    assert said_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - said_at) < timedelta(hours=1)


@pytest.mark.usefixtures("machines")
def test_no_nan_in_a_log() -> None:
    """NaN is no JSON: logging it is the program's mistake."""
    with pytest.raises(ValueError, match="JSON"):
        logs.event("bucket done", {"seconds": float("nan")})
