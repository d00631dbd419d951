"""What a person sees while a command runs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import pytest

from engine_runtime import logs
from engine_runtime.commands import console


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def pretend(name: str) -> None:
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda: True)

    return pretend


def test_results_are_on_stdout_and_the_rest_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """A document is one line of JSON, in its own letters; a note is not part of it."""
    console.note("working")
    console.emit({"name": "räksmörgås 红", "n": 1})
    said = capsys.readouterr()
    assert said.out == '{"name": "räksmörgås 红", "n": 1}\n'
    assert said.err == "working\n"


def test_no_nan_in_a_document() -> None:
    """NaN is no JSON: writing it is the command's mistake."""
    with pytest.raises(ValueError, match="JSON"):
        console.emit({"n": float("nan")})


def test_tables_print_what_they_are_given(capsys: pytest.CaptureFixture[str]) -> None:
    """Square brackets in a cell are text, not markup; wide cells are folded, not cut."""
    console.table("[bold]things", ("name", "size"), [("[red]tea", "10"), ("x" * 200, "7")])
    console.facts("[dim]facts", {"[a]": "[/b]", "path": "/p" * 100})
    said = capsys.readouterr().out
    assert "[bold]things" in said
    assert "[red]tea" in said
    assert "[a]" in said
    assert "[/b]" in said
    assert said.count("x") == 200
    assert said.count("/p") == 100
    assert max(map(len, said.splitlines())) <= console.PLAIN_WIDTH


def test_plain_progress(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal there is a line now and then and one at the end, with rate and remaining time; none twice."""
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with console.progress("reading", 40, "rows") as advance:
        for done in range(1, 5):
            clock[0] += 3
            advance(10, f"part {done}")
        advance(0, "part 4")
    assert capsys.readouterr().err.splitlines() == [
        "reading: 20 of 40 rows, 3/s, 6 s left, part 2",
        "reading: 40 of 40 rows, 3/s, 0 s left, part 4",
    ]


def test_progress_for_machines(
    monkeypatch: pytest.MonkeyPatch, terminal: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where machines read the log, progress is an event with rate and remaining time, on a terminal too."""
    terminal("stderr")
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    logs.speak("json")
    try:
        with console.progress("reading", 40, "rows") as advance:
            clock[0] += 10
            advance(10, "part 1")
            console.warn("slow")
    finally:
        logs.speak("text")
    done, slow = map(json.loads, capsys.readouterr().err.splitlines())
    assert (done["event"], done["step"], done["unit"], done["remark"]) == ("progress", "reading", "rows", "part 1")
    assert (done["done"], done["total"], done["per_second"], done["seconds_left"]) == (10, 40, 1, 30)
    assert (slow["level"], slow["message"]) == ("warning", "slow")


def test_progress_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A step of unknown or no size divides nothing by 0."""
    with console.progress("reading", 0, "rows") as advance:
        advance(0)
    assert "reading: 0 of 0 rows" in capsys.readouterr().err


def test_live_progress(terminal: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal a bar shows count, rate and remark, and stdout stays clean."""
    terminal("stderr")
    with console.progress("reading", 40, "rows") as advance:
        advance(30)
        advance(10, "almost")
    said = capsys.readouterr()
    assert "40/40" in said.err
    assert "rows/s" in said.err
    assert "almost" in said.err
    assert said.out == ""


def test_progress_ends_with_an_error(terminal: Callable[[str], None]) -> None:
    """An error inside a step comes out as it is."""
    terminal("stderr")
    with pytest.raises(KeyError), console.progress("reading", 2, "rows"):
        raise KeyError
