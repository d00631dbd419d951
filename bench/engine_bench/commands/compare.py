"""`engine bench compare`: two kept records, or two builds measured now."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_bench.commands.options import out_option
from engine_bench.commands.showing import keep
from engine_runtime.commands import console
from engine_runtime.commands.options import EXISTING, EXISTING_DIRECTORY, json_option
from engine_runtime.errors import UsageError

if TYPE_CHECKING:
    from engine_bench.suite.beside import Finding
    from engine_bench.suite.pairs import Paired, Side, Work
    from engine_bench.suite.verdict import Change

SIDES = ("against", "build")


@click.command("compare")
@click.argument("records", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--other-artefact", is_flag=True, help="Compare records of different bundles, indexes or variants, too.")
@click.option(
    "--against",
    type=EXISTING,
    default=None,
    help="Build to compare with: a Python interpreter, an environment, or a folder of code.",
)
@click.option("--build", type=EXISTING, default=None, help="Build that is compared with it; this one if not given.")
@click.option("--bundle", type=EXISTING_DIRECTORY, default=None, help="The exported bundle.")
@click.option("--index", type=EXISTING_DIRECTORY, default=None, help="The index made with it.")
@click.option("--events", type=EXISTING_DIRECTORY, default=None, help="Data set whose users are served.")
@click.option("--against-bundle", type=EXISTING_DIRECTORY, default=None, help="Bundle of --against, where another.")
@click.option("--against-index", type=EXISTING_DIRECTORY, default=None, help="Index of --against, where another.")
@click.option("--users", type=click.IntRange(min=1), default=2000, show_default=True, help="Users served in a turn.")
@click.option("--pairs", type=click.IntRange(min=1), default=16, show_default=True, help="Pairs of two turns each.")
@click.option(
    "--least",
    type=click.FloatRange(min=0),
    default=0.05,
    show_default=True,
    help="Size from which a difference counts, as a part of 1.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Worker threads of each build; with one, the time that others had the CPU is left out in full.",
)
@out_option
@json_option
def compare(
    records: tuple[Path, ...],
    other_artefact: bool,
    against: Path | None,
    build: Path | None,
    bundle: Path | None,
    index: Path | None,
    events: Path | None,
    against_bundle: Path | None,
    against_index: Path | None,
    users: int,
    pairs: int,
    least: float,
    threads: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Say whether something became slower: of two records, or of two builds that are measured now, in turn.

    Records are compared only where target, machine and artefacts are the same. Builds run in processes of their own on
    the same users, in turns A B B A; the verdict rests on the clock without the time that other processes had the CPU.
    Both say what size of difference they could have found.

    \b
    Example:
      engine bench compare before.json after.json
      engine bench compare --against ../before --bundle bundle --index index --events dataset
      engine bench compare --against .venv-before --bundle bundle --index index --events dataset --pairs 30
    """
    from engine_bench.suite.beside import compare_records
    from engine_bench.suite.pairs import Work, build_of
    from engine_bench.suite.record import load

    if against is None:
        if len(records) != 2:
            raise UsageError(f"{len(records)} records were given. Give two, or a build with --against.")
        one, other = map(load, records)
        findings = compare_records(one, other, other_artefact=other_artefact, least=least)
        if not keep(findings, out, as_json):
            _show_findings(findings)
        return
    if records:
        raise UsageError("give two records or --against, not both.")
    if bundle is None or index is None or events is None:
        raise UsageError("builds are compared on users. Give --bundle, --index and --events.")
    sides = {
        SIDES[0]: build_of(against, against_bundle or bundle, against_index or index),
        SIDES[1]: build_of(build, bundle, index),
    }
    found = _measure(sides, Work(events, users, threads), pairs, least)
    if not keep(found, out, as_json):
        _show_paired(found)


def _measure(sides: dict[str, Side], work: Work, pairs: int, least: float) -> Paired:
    from engine_bench.suite.pairs import compare_builds

    with tempfile.TemporaryDirectory(prefix="engine-bench-") as folder:
        return compare_builds(sides, work, pairs, Path(folder), console.note, least)


def _show_findings(findings: tuple[Finding, ...]) -> None:
    rows = [
        (f"{each.scenario} {each.figure}", f"{each.first:.4g}", f"{each.second:.4g}", *_cells(each.change))
        for each in findings
    ]
    columns = ("figure", "first", "second", "second / first", "99 % interval", "verdict", "findable")
    console.table("the second record to the first", columns, rows)
    click.echo(
        "The two were measured apart, so what the machine drifted in between is in the ratios. `--against` measures in "
        "turn."
    )


def _show_paired(found: Paired) -> None:
    from engine_bench.suite.pairs import OWN, TIMES

    console.facts("how each side ran", found.settings)
    shown = {figure: change for figure, change in found.changes.items() if figure in TIMES or figure.endswith(OWN)}
    rows = [(figure, *_cells(change)) for figure, change in shown.items()]
    title = f"{SIDES[1]} to {SIDES[0]}: {found.verdict}"
    console.table(title, ("figure", "ratio", "99 % interval", "verdict", "findable"), rows)
    quality = (f"{name} {each.mean:.4f} [{each.low:.4f}, {each.high:.4f}]" for name, each in found.ndcg.items())
    click.echo(f"NDCG@10: {', '.join(quality)}; the same list for {found.alike:.1%} of the users")
    if found.foreign is not None:
        click.echo(f"other processes kept {found.foreign:.1f} CPUs busy meanwhile")


def _cells(change: Change) -> tuple[str, ...]:
    interval = f"{change.low:.3f} to {change.high:.3f}"
    return f"{change.ratio:.3f}", interval, change.verdict, f"from {change.findable:.1%} on"
