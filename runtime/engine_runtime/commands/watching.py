"""How `engine serve-batch` is seen from outside: its options for that, its log, its endpoint, its summary.

Knows the command's options and who reads what; knows nothing of how users are served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine_runtime import logs
from engine_runtime.commands.console import note, table

if TYPE_CHECKING:
    from engine_runtime.artefacts.output import Output
    from engine_runtime.serve.summary import RunSummary
    from engine_runtime.serve.watch import Watch

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = (
    click.option(
        "--metrics-port",
        type=click.IntRange(0, 65535),
        help="Serve /metrics for Prometheus, and /healthz, while the run lasts; 0 takes any free port.",
    ),
    click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address that it listens at."),
    click.option(
        "--summary",
        type=click.Path(dir_okay=False, path_type=Path),
        help="JSON file for digests, counts and timings of the run; what --json prints.",
    ),
)


def watch_options(command: Command) -> Command:
    """Options by which a run is seen from outside."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@contextmanager
def watching(out: Path, summary: Path | None, host: str, port: int | None) -> Iterator[Watch]:
    """Watch a run that writes `out`; show it at a port where one is named.

    Raises
    ------
    UsageError
        The port is taken, or the summary cannot go where it should.
    """
    from engine_runtime.serve.endpoint import endpoint
    from engine_runtime.serve.metrics import CONTENT_TYPE, exposition, families
    from engine_runtime.serve.summary import check_place
    from engine_runtime.serve.watch import Watch

    if summary is not None:
        check_place(summary, out)
    watch = Watch()
    if port is None:
        yield watch
        return
    with endpoint(host, port, lambda: exposition(families(watch)), CONTENT_TYPE) as address:
        note(f"metrics are at http://{address}/metrics")
        yield watch


def log_begin(watch: Watch) -> None:
    """Log what is served, and what was refused when the data set was made."""
    digests = {f"{kind}_digest": digest for kind, digest in watch.parents.items()}
    left = {"users_left": watch.users_left, "parts_left": watch.parts_left, "users_kept": watch.earlier_users}
    logs.event("serving", watch.settings | digests | left)
    if watch.rejects:
        logs.event("rows rejected", {"rows": sum(watch.rejects.values()), "reasons": watch.rejects}, "warning")


def bucket_done(watch: Watch) -> Callable[[int, Mapping[str, int]], None]:
    """What is called with each finished bucket: counts it and logs it."""
    last = watch.elapsed()

    def done(bucket: int, counts: Mapping[str, int]) -> None:
        nonlocal last
        watch.done(bucket, counts)
        now = watch.elapsed()
        took = {"seconds": round(now - last, 3), "parts_left": watch.parts_left}
        logs.event("bucket done", {"bucket": bucket, **counts, **took})
        last = now

    return done


def sum_up(watch: Watch, output: Output, place: Path | None) -> RunSummary:
    """The summary of a run whose output is whole; written to `place` where one is named."""
    from engine_runtime.serve.summary import summarise, write_summary

    summary = summarise(watch, output, options())
    if place is not None:
        write_summary(place, summary)
    logs.event("output whole", {"digest": summary.digest, "users": summary.served_users, "seconds": summary.seconds})
    return summary


def options() -> dict[str, Any]:
    """Options of the command that runs, as JSON knows them."""
    return {name: _plain(value) for name, value in click.get_current_context().params.items()}


def show(summary: RunSummary) -> None:
    """Print where the time went and what was refused, for people."""
    whole = sum(stage.wall_seconds for stage in summary.stages.values())
    if whole:
        rows = [
            (name, f"{stage.wall_seconds:.1f}", f"{stage.cpu_seconds:.1f}", f"{stage.wall_seconds / whole:.0%}")
            for name, stage in sorted(summary.stages.items(), key=lambda named: -named[1].wall_seconds)
        ]
        table("where the time went, all workers together", ("stage", "seconds", "of CPU", "share"), rows)
    if summary.rejects:
        table("rows refused at ingest", ("reason", "rows"), [(name, f"{n:,}") for name, n in summary.rejects.items()])


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value
