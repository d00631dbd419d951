"""The report: sections of tables and charts between a head and a foot, in one HTML document.

Knows the order of what is shown; knows nothing of how a record came about or where the page goes. The style sheet is a
file beside this one; the page names its digest and forbids everything else, scripts and requests among it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import TypeAlias

import msgspec

from engine_bench.suite.page import curves, past, rows, summary
from engine_bench.suite.page.cost import Cost, Price, cores, costs
from engine_bench.suite.page.distributions import latency_curves
from engine_bench.suite.page.markup import Markup, tag
from engine_bench.suite.page.past import FindSteps
from engine_bench.suite.page.tables import Table, download, show
from engine_bench.suite.record import Record

SCHEMES = (("automatic", "Auto"), ("light", "Light"), ("dark", "Dark"))

EVERY_LEAD = (
    "A figure is the median of its rounds, with the interval that holds the true one in 95 of 100 cases where one is "
    "known. No speed stands without the quality of the very artefact that ran."
)
LATENCY_LEAD = (
    "Each request is timed from the moment that was planned for it, so that a stalled server cannot hide those that "
    "wait. A quantile is told only where at least ten requests lie beyond it."
)
STAGES_LEAD = "Wall seconds of the stages of each scenario, and CPU seconds beside them."
HISTORY_LEAD = (
    "Runs of this target on this very machine with these libraries; others are left out. An upright line marks where a "
    "figure moved to another level and stayed there, and by how much."
)
QUALITY_LEAD = "Ranking is that of the users' last events over the whole catalogue; parity is to the float32 model."
MACHINE_LEAD = "These figures hold for this machine and these versions, and are compared with no other."

Section: TypeAlias = tuple[str, Markup]
"""The heading of a section, and the section."""


def report(
    record: Record, price: Price | None = None, records: Sequence[Record] = (), find_steps: FindSteps | None = None
) -> str:
    """The page of a record, as HTML.

    Parameters
    ----------
    record
        What is shown.
    price
        Of a core-hour; without one, cost is told in core-hours alone.
    records
        Records of the same target and machine in order of time, the one shown last; empty without a history.
    find_steps
        Tells where figures of a history move to another level; needed with `records`.
    """
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    priced = costs(record, price)
    history = [] if find_steps is None else _history(records, find_steps)
    sections = [*_measured(record), *_costs(record, priced, price), *history, *_known(record)]
    body = tag(
        "body",
        tag("a", "Skip to the figures", href="#about-every-scenario", class_="skip"),
        _head(record, priced, price, sections),
        tag("main", *(section for _, section in sections)),
        _foot(record),
    )
    return f"<!doctype html>\n{tag('html', _meta(f'What {record.target} serves', style), body, lang='en')}\n"


def _meta(title: str, style: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),  # without it a browser asks the server for one
        tag("title", title),
        tag("style", Markup(style)),
    )


def _head(record: Record, priced: tuple[Cost, ...], price: Price | None, sections: Sequence[Section]) -> Markup:
    tiles = [_tile(one) for one in summary.headlines(record, priced, price)]
    said = [tag("p", text) for text in summary.paragraphs(record, priced, price)]
    places = [tag("li", tag("a", heading, href=f"#{_anchor(heading)}")) for heading, _ in sections]
    contents = tag("nav", tag("ul", *places), aria_label="Sections")
    title, when = tag("h1", f"What {record.target} serves"), tag("p", summary.setting(record), class_="when")
    verdict = tag("div", *said, class_="verdict")
    return tag("header", _schemes(), title, when, verdict, tag("dl", *tiles, class_="tiles"), contents)


def _tile(one: summary.Headline) -> Markup:
    value = tag("data", one.cell.shown[0], value=repr(one.cell.value))
    return tag("div", tag("dt", one.label), tag("dd", value, " ", tag("span", one.unit)))


def _schemes() -> Markup:
    """The choice of colours: three buttons of which one is on, which the style sheet asks for; no script."""
    choices = []
    for name, text in SCHEMES:
        button = tag("input", type="radio", name="scheme", id=f"scheme-{name}", checked=name == "automatic")
        choices.append(tag("label", button, tag("span", text)))
    return tag("fieldset", tag("legend", "Colours"), *choices, class_="schemes")


def _measured(record: Record) -> list[Section]:
    sections = _section("Every scenario", EVERY_LEAD, [], [rows.scenarios(record)])
    sections += _section("Latency", LATENCY_LEAD, [latency_curves(record)], [rows.latencies(record)])
    for row in record.rows:
        found = curves.curve(row)
        if found is not None:
            sections += _section(found.heading, found.lead, [found.drawing], [rows.points(row)])
    return sections + _section(
        "Where the time goes", STAGES_LEAD, [curves.stage_bars(record)], [rows.stages(record), rows.tokens(record)]
    )


def _costs(record: Record, priced: tuple[Cost, ...], price: Price | None) -> list[Section]:
    paid = f"{cores(record.machine):g} cores are paid for, whether they are busy or not"
    tail = f", at {price.amount:g} {price.currency} per core-hour." if price else ". No price per core-hour was given."
    return _section("Cost", paid + tail, [], [rows.cost(priced, price)])


def _history(records: Sequence[Record], find_steps: FindSteps) -> list[Section]:
    found = past.tracks(records, find_steps)
    drawn = [past.draw_track(track, records) for track in found]
    return _section("History", HISTORY_LEAD, drawn, [past.table(found, records)]) if found else []


def _known(record: Record) -> list[Section]:
    sections = _section("Quality", QUALITY_LEAD, [], [rows.quality(record)])
    sections += _section("The machine", MACHINE_LEAD, [], [rows.machine(record)])
    notes = [tag("li", f"{row.scenario}: {note}") for row in record.rows for note in row.notes]
    return sections + ([_boxed("Notes", tag("ul", *notes))] if notes else [])


def _section(heading: str, lead: str, charts: Sequence[Markup | None], tables: Sequence[Table | None]) -> list[Section]:
    """A section of what there is; none where there is nothing."""
    drawn = [chart for chart in charts if chart is not None]
    shown = [show(table) for table in tables if table is not None]
    if not drawn and not shown:
        return []
    return [_boxed(heading, tag("p", lead, class_="lead"), tag("div", *drawn, *shown, class_="beside"))]


def _boxed(heading: str, *content: Markup) -> Section:
    name = _anchor(heading)
    return heading, tag("section", tag("h2", heading, id=name), *content, aria_labelledby=name)


def _anchor(heading: str) -> str:
    """Where a heading is found; tables have names of their own."""
    return f"about-{rows.slug(heading)}"


def _foot(record: Record) -> Markup:
    whole = download("record", msgspec.json.encode(record), "Download the whole record as JSON")
    how = "Made by engine bench report. This page holds no script and asks no server for anything."
    return tag("footer", tag("p", whole), tag("p", how))
