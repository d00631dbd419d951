"""`engine bench report`: a record, or a history of them, as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_runtime.commands import console
from engine_runtime.commands.options import EXISTING_DIRECTORY

if TYPE_CHECKING:
    from engine_bench.suite.page.cost import Price
    from engine_bench.suite.record import Record


@click.command("report")
@click.argument("record", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--history", type=EXISTING_DIRECTORY, help="Folder of kept records; the newest is shown, with its past.")
@click.option("--target", default=None, help="Target of the history; needed where it holds several.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="HTML file that the page goes to."
)
@click.option(
    "--price", type=click.FloatRange(min=0, min_open=True), default=None, help="What a core costs for an hour."
)
@click.option("--currency", default="EUR", show_default=True, help="Currency of the price.")
def report(
    record: Path | None, history: Path | None, target: str | None, out: Path, price: float | None, currency: str
) -> None:
    """Write one HTML page that stands alone: what a machine serves, how fast, at which cost and how well.

    The page holds no script and asks no server for anything; every table can be saved from it as JSON.

    \b
    Example:
      engine bench report run.json --out report.html --price 0.10 --currency EUR
      engine bench report --history history --target cpu-vnni --out report.html
    """
    from engine_bench.suite.page.cost import Price
    from engine_bench.suite.page.page import report as page
    from engine_bench.suite.record import load
    from engine_runtime.errors import UsageError

    if (record is None) == (history is None):
        raise UsageError("give either a record, as a file, or --history with a folder of records.")
    if target is not None and history is None:
        raise UsageError("--target chooses from a history: give --history.")
    records = [load(record)] if record is not None else _newest_group(history or Path(), target)
    shown: Price | None = None if price is None else Price(price, currency)
    _write(page(records[-1], shown, records if history else (), _places), out)
    console.note(f"{out}: {records[-1].target}, run of {records[-1].started}")


def _newest_group(history: Path, target: str | None) -> list[Record]:
    """Records of one target on the machine of its newest record, in order of time."""
    from engine_bench.suite.history import groups, read_history
    from engine_runtime.errors import UsageError

    found = groups(read_history(history, target))
    targets = sorted({group.target for group in found})
    if len(targets) > 1:
        raise UsageError(f"{history} holds records of {', '.join(targets)}: choose one with --target.")
    newest = max(found, key=lambda group: group.records[-1].record.started)
    return [kept.record for kept in newest.records]


def _places(figure: str, values: Sequence[float]) -> list[int]:
    """Where a figure of a history moves to another level."""
    from engine_bench.suite.steps import find_steps

    return [step.place for step in find_steps(figure, values)]


def _write(html: str, out: Path) -> None:
    from engine_runtime.errors import UsageError

    try:
        out.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the page cannot be written to {out}: {error.strerror}. Choose another --out.") from error
