"""What is seen while a command runs: progress, notes and tables; on a terminal live, elsewhere plain lines.

Progress and notes go to stderr, as lines or as JSON documents (`engine_runtime.logs`); stdout holds a command's result
alone. Knows nothing of any command.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from engine_runtime import logs

PLAIN_SECONDS = 5.0
PLAIN_WIDTH = 120


class Advance(Protocol):
    """Report of a long step: so many more done, and optionally a figure to show beside the count."""

    def __call__(self, done: int, remark: str = "") -> None:
        """Report `done` more."""


def stderr() -> Console:
    """Console on stderr; plain where stderr is no terminal."""
    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def note(message: str) -> None:
    """Say one line on stderr."""
    logs.line(message)


def warn(message: str) -> None:
    """Say one line on stderr that whoever runs this should read."""
    logs.line(message, "warning")


def emit(document: Any) -> None:
    """Print a command's result for machines: one JSON document on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout; the first column is text, the others are set flush right."""
    drawn = Table(header_style="dim", box=None, pad_edge=False)
    for position, column in enumerate(columns):
        drawn.add_column(column, justify="left" if position == 0 else "right", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    _print(title, drawn)


def facts(title: str, found: Mapping[str, str]) -> None:
    """Print what is known of something on stdout, a line each."""
    drawn = Table(box=None, pad_edge=False, show_header=False)
    drawn.add_column(style="dim")
    drawn.add_column(overflow="fold")
    for name, value in found.items():
        drawn.add_row(Text(name), Text(value))
    _print(title, drawn)


def _print(title: str, drawn: Table) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    with console.capture() as captured:
        console.print(Text(title, style="bold"), soft_wrap=True)
        console.print(drawn)
    # rich fills lines with blanks up to the width of the table
    click.echo("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


@contextmanager
def progress(title: str, total: int, unit: str) -> Iterator[Advance]:
    """Show a step's progress with rate and remaining time.

    Parameters
    ----------
    title
        What is being done.
    total
        How many there are of `unit`.
    unit
        Plural name of what is counted.
    """
    if logs.structured() or not sys.stderr.isatty():
        yield _plain(title, total, unit)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[remark]}"),
    )
    with Progress(*columns, console=stderr()) as bar:
        task = bar.add_task(title, total=total, rate="", remark="")
        start = time.monotonic()
        count = 0

        def advance(done: int, remark: str = "") -> None:
            nonlocal count
            count += done
            rate = count / max(time.monotonic() - start, 1e-9)
            bar.update(task, advance=done, rate=f"{rate:,.0f} {unit}/s", remark=remark)

        yield advance


def _plain(title: str, total: int, unit: str) -> Advance:
    start = last = time.monotonic()
    count = 0
    shown = (-1, "")

    def advance(done: int, remark: str = "") -> None:
        nonlocal count, last, shown
        count += done
        now = time.monotonic()
        if (count, remark) == shown or (count < total and now - last < PLAIN_SECONDS):
            return
        last, shown = now, (count, remark)
        rate = count / max(now - start, 1e-9)
        left = max(total - count, 0) / max(rate, 1e-9)
        if logs.structured():
            speed = {"per_second": round(rate, 1), "seconds_left": round(left, 1), "remark": remark}
            logs.event("progress", {"step": title, "done": count, "total": total, "unit": unit} | speed)
            return
        tail = f", {remark}" if remark else ""
        note(f"{title}: {count:,} of {total:,} {unit}, {rate:,.0f}/s, {left:,.0f} s left{tail}")

    return advance
