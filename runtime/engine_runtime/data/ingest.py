"""Ingest: a user's files in, a data set out.

Knows the order of the work; each step lives in a file of its own (sources, staging, clean, catalogue, people,
tables, writing). All rows stay in DuckDB, which sorts them out of core; the result is the same byte for byte for the
same input, however many threads there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine_runtime.artefacts.dataset import KIND, Dataset
from engine_runtime.artefacts.writing import drafting
from engine_runtime.data import tables
from engine_runtime.data.catalogue import describe_items, item_columns, load_catalogue, number_items
from engine_runtime.data.clean import define_macros
from engine_runtime.data.database import scalar, workspace
from engine_runtime.data.events import read_events
from engine_runtime.data.people import number_users, tidy_users, user_columns, without_users
from engine_runtime.data.sources import Source, find_source
from engine_runtime.data.staging import Report, stage
from engine_runtime.data.writing import write
from engine_runtime.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from engine_runtime.data.config import DatasetConfig

SHOWN_REJECTS = 3


@dataclass(frozen=True)
class Sources:
    """The files of a data set; None where there are none of a kind."""

    events: Source | None
    items: Source | None
    users: Source | None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(source.size for source in (self.events, self.items, self.users) if source)


def find_sources(
    config: DatasetConfig,
    events: Sequence[Path],
    items: Sequence[Path],
    users: Sequence[Path],
    *,
    catalogue: Path | None = None,
) -> Sources:
    """Find the files, and check that they and the sections of `config` go together.

    Raises
    ------
    UsageError
        Files without a section that describes them, or the other way round; mixed or unknown formats.
    InputError
        A file is not there or empty.
    """
    _check_pair("events", events, config.events)
    if users:  # a configuration that describes them serves events without them too
        _check_pair("users", users, config.users)
    if catalogue is None:
        _check_pair("items", items, config.items)
        if not items:
            raise UsageError(
                "no items were given: events need the items that they name. Add --items, or [files] items."
            )
    elif not events:
        raise UsageError("a catalogue was given without events. Add the events that it is for.")
    quoted = config.files.quoted
    return Sources(
        find_source("events", events, quoted=quoted) if events else None,
        find_source("items", items, quoted=quoted) if items and catalogue is None else None,
        find_source("users", users, quoted=quoted) if users else None,
    )


def _check_pair(kind: str, paths: Sequence[Path], section: object | None) -> None:
    if paths and section is None:
        raise UsageError(f"{kind} were given, but the configuration has no section [{kind}] that describes them.")
    if section is not None and not paths:
        raise UsageError(f"the configuration has a section [{kind}], but no file. Add --{kind}, or [files] {kind}.")


def ingest(
    config: DatasetConfig,
    events: Sequence[Path],
    items: Sequence[Path],
    users: Sequence[Path],
    out: Path,
    *,
    replace: bool = False,
    on_error: Literal["keep", "fail"] = "keep",
    memory: str = "2GB",
    threads: int | None = None,
    catalogue: Path | None = None,
    report: Report | None = None,
) -> Dataset:
    """Make a data set.

    Parameters
    ----------
    config
        Which column is what.
    events, items, users
        Files or folders of each kind; events or users may be none.
    out
        Where the data set goes.
    replace
        Whether a data set that is there may be replaced.
    on_error
        ``keep`` writes refused rows to the rejects; ``fail`` stops at the end of reading if there is any.
    memory
        What the process is to stay within, as ``"2GB"``; rows beyond it go to a directory beside `out`.
    threads
        Of DuckDB; all if not given.
    catalogue
        Catalogue of an index, in place of `items`: items keep the numbers that they have there.
    report
        Told of progress: bytes read, and what is being done.

    Returns
    -------
    Dataset
        The data set, opened.

    Raises
    ------
    UsageError
        Files and configuration do not go together, or `out` is taken.
    InputError
        A file cannot be used, every event was refused, or, with ``fail``, any row was.
    MachineError
        `memory` is too little.
    OSError
        The disk is full.
    """
    sources = find_sources(config, events, items, users, catalogue=catalogue)
    with drafting(out, KIND, replace=replace) as draft:
        with workspace(out, memory, threads) as con:
            define_macros(con)
            _read(con, config, sources, catalogue, report)
            if report is not None:
                report(0, "sorting")
            n_attributes = len(config.users.attributes) if config.users and users else 0
            n_buckets = number_users(con, n_attributes, config.ingest.buckets)
            tables.collect_rejects(con, names(sources))
            check_rejects(con, on_error)
            tables.number_events(con)
            read = partial(tables.read_events, con)
            info = write(con, config, draft.path, n_attributes, n_buckets, read, report)
        draft.seal(info)
    return Dataset.open(out, verify=False)


def _read(
    con: duckdb.DuckDBPyConnection,
    config: DatasetConfig,
    sources: Sources,
    catalogue: Path | None,
    report: Report | None,
) -> None:
    """Fill the tables ``parsed``, ``listed``, ``items``, ``item_rows`` and ``user_rows``."""
    read_events(con, config, sources.events, report)
    if catalogue is not None:
        load_catalogue(con, catalogue)
    elif sources.items and config.items:
        stage(con, "item_cells", sources.items, item_columns(config.items), encoded=True, report=report)
        describe_items(con, config.items)
        number_items(con, config.items)
    if sources.users and config.users:
        stage(con, "user_cells", sources.users, user_columns(config.users), report=report)
        tidy_users(con, len(config.users.attributes))
    else:
        without_users(con)


def names(sources: Sources) -> dict[str, list[str]]:
    """Return the base names of the files of each kind."""
    kinds = {"parsed": sources.events, "item_rows": sources.items, "user_rows": sources.users}
    return {table: [path.name for path in source.files] if source else [] for table, source in kinds.items()}


def check_rejects(con: duckdb.DuckDBPyConnection, on_error: str) -> None:
    """Stop where nothing is left or, with ``fail``, any row was refused; raises `InputError`."""
    n_rejects = scalar(con, "SELECT count(*) FROM rejects")
    if not n_rejects:
        return
    query = "SELECT file, line, reason FROM rejects ORDER BY file, line, reason LIMIT $shown"
    shown = con.execute(query, {"shown": SHOWN_REJECTS}).fetchall()
    first = "; ".join(f"{file}:{line}: {reason}" for file, line, reason in shown)
    if on_error == "fail":
        raise InputError(
            f"{n_rejects:,} rows were refused, the first: {first}. Correct them, or leave --on-error at keep."
        )
    n_parsed = scalar(con, "SELECT count(*) FROM parsed")
    n_sound = scalar(con, "SELECT count(*) FROM parsed SEMI JOIN items USING (item_id) WHERE reason IS NULL")
    n_repeats = scalar(con, "SELECT coalesce(sum(n), 0) FROM duplicates")  # of sound events: of a day, perhaps of all
    if n_parsed and not n_sound and not n_repeats:
        raise InputError(
            f"all {n_parsed:,} events were refused, the first: {first}. Does the configuration fit the files?"
        )
    if not scalar(con, "SELECT count(*) FROM items"):
        raise InputError(f"all items were refused, the first: {first}. Does the configuration fit the files?")
