"""Append: a day's files join a data set, as if they had been ingested with the others, in their place after them.

Old rows are neither read as text nor typed, joined or sorted again: their buckets are renumbered, and the later events
put among them. The result is that of ingesting all files together, byte for byte, but where a data set does not hold
what that would take:

* An event that was refused because its item was in no file stays refused when the item comes later. Where
  ``duplicates = "drop"``, repeats of such an event are refused too, and not counted as repeats.
* A row of a user who is there already replaces the earlier row, so that attributes may change; ingest lets the first
  row stand. It is what ingesting the later user files *before* the others gives, but for the rejects.
* With ``missing = "keep"``, a row of an item of which nothing is known describes it. So it does in ingest, but for an
  item whose own row was empty, which ingest lets stand.

Knows the order of the work; the steps are those of ingest, and those of `earlier` and `merging`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from engine_runtime.artefacts.dataset import KIND, Dataset
from engine_runtime.artefacts.writing import drafting
from engine_runtime.data import earlier, tables
from engine_runtime.data.catalogue import DESCRIBED, describe_items, item_columns, number_items
from engine_runtime.data.clean import define_macros
from engine_runtime.data.config import kept_config
from engine_runtime.data.database import workspace
from engine_runtime.data.events import read_events
from engine_runtime.data.ingest import Sources, check_rejects, names
from engine_runtime.data.merging import merge
from engine_runtime.data.people import number_users, tidy_users, user_columns, without_users
from engine_runtime.data.sources import find_source
from engine_runtime.data.staging import Report, stage
from engine_runtime.data.writing import write
from engine_runtime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb
    import pyarrow as pa

    from engine_runtime.data.config import DatasetConfig


def find_later(config: DatasetConfig, events: Sequence[Path], items: Sequence[Path], users: Sequence[Path]) -> Sources:
    """Find the files that join; raises `UsageError` or `InputError`, as `engine_runtime.data.ingest.find_sources`."""
    given = {"events": events, "items": items, "users": users}
    if not any(given.values()):
        raise UsageError("nothing was given to append. Add --events, --items or --users.")
    for kind, paths in given.items():
        if paths and getattr(config, kind) is None:
            raise UsageError(f"{kind} were given, but the data set's configuration has no section [{kind}].")
    if config.events is not None and config.events.item_list and events:
        raise UsageError("each row of events holds a whole history ([events] item_list). Ingest all files together.")
    quoted = config.files.quoted
    return Sources(
        **{kind: find_source(kind, paths, quoted=quoted) if paths else None for kind, paths in given.items()}
    )


def agreed_config(dataset: Dataset, given: DatasetConfig | None = None) -> DatasetConfig:
    """Return the configuration that a data set was made with; `given` must not say otherwise.

    Raises
    ------
    ArtefactError
        An earlier version made the data set, and kept no configuration.
    UsageError
        `given` differs in more than the paths of files and the number of buckets, or the data set was made against
        the catalogue of an index.
    """
    kept = kept_config(dataset.config)
    if kept.items is None:
        raise UsageError(f"{dataset.root} has no items of its own: it was made against an index. Ingest all anew.")
    if given is not None:
        asked = msgspec.structs.replace(given, ingest=kept.ingest, files=kept.files)
        before, now = _settings(kept), _settings(asked)
        for name in (*before, *now):
            if before.get(name) != now.get(name):
                raise UsageError(
                    f"{dataset.root} was made with {name} = {before.get(name)!r}, the configuration says "
                    f"{now.get(name)!r}. Append with what it was made with, or ingest all files anew."
                )
    return kept


def _settings(config: DatasetConfig) -> dict[str, object]:
    """Every setting by its dotted name; sections that are not there have one entry that is None."""
    flat: dict[str, object] = {}
    for section, held in msgspec.to_builtins(config).items():
        if isinstance(held, dict) and section != "event_types":
            flat |= {f"{section}.{key}": value for key, value in held.items()}
        else:
            flat[section] = list(held.items()) if isinstance(held, dict) else held
    return flat


def append(
    dataset: Dataset,
    config: DatasetConfig,
    later: Sources,
    out: Path,
    *,
    replace: bool = False,
    on_error: Literal["keep", "fail"] = "keep",
    memory: str = "2GB",
    threads: int | None = None,
    report: Report | None = None,
) -> Dataset:
    """Make a data set of another one and files that came later.

    Parameters
    ----------
    dataset
        What is there; it stays as it is.
    config
        Of `agreed_config`.
    later
        Of `find_later`.
    out, replace, on_error, memory, threads, report
        As in `engine_runtime.data.ingest.ingest`; errors too. ``fail`` looks at the later rows alone.
    """
    with drafting(out, KIND, replace=replace) as draft:
        with workspace(out, memory, threads) as con:
            define_macros(con)
            n_attributes = _n_attributes(dataset, config, later)
            _read(con, config, later, n_attributes, report)
            if report is not None:
                report(0, "joining")
            n_buckets = _join(con, dataset, config, n_attributes)
            tables.collect_rejects(con, names(later))
            check_rejects(con, on_error)
            earlier.recall_rejects(con, dataset)
            tables.number_events(con)
            read = _Merged(con, dataset, n_buckets)
            info = write(con, config, draft.path, n_attributes, n_buckets, read, report)
        draft.seal(info)
    return Dataset.open(out, verify=False)


def _n_attributes(dataset: Dataset, config: DatasetConfig, later: Sources) -> int:
    described = bool(dataset.info.attributes) or later.users is not None
    return len(config.users.attributes) if config.users and described else 0


def _read(
    con: duckdb.DuckDBPyConnection, config: DatasetConfig, later: Sources, n_attributes: int, report: Report | None
) -> None:
    """Fill the tables ``parsed``, ``listed``, ``item_rows`` and ``user_rows`` from the later files."""
    read_events(con, config, later.events, report)
    if later.items and config.items:
        stage(con, "item_cells", later.items, item_columns(config.items), encoded=True, report=report)
        describe_items(con, config.items)
    else:
        con.register("described", DESCRIBED.empty_table())
        con.execute("CREATE TABLE item_rows AS SELECT * FROM described")
    if later.users and config.users:
        stage(con, "user_cells", later.users, user_columns(config.users), report=report)
        tidy_users(con, n_attributes)
    else:
        without_users(con, n_attributes)


def _join(con: duckdb.DuckDBPyConnection, dataset: Dataset, config: DatasetConfig, n_attributes: int) -> int:
    """Number users and items of before and of now together; return the number of buckets."""
    if config.items is None:
        raise RuntimeError("a data set that is appended to has items")
    earlier.recall_items(con, dataset, described=config.items.missing == "keep")
    number_items(con, config.items)
    earlier.recall_users(con, dataset)
    if config.events is not None and config.events.duplicates == "drop":
        earlier.drop_repeats(con, dataset)
    return number_users(con, n_attributes, config.ingest.buckets, earlier.sound_events(dataset))


class _Merged:
    """Reads a bucket's events: those of before and those of now."""

    def __init__(self, con: duckdb.DuckDBPyConnection, dataset: Dataset, n_buckets: int) -> None:
        self.con = con
        self.earlier = earlier.Earlier(con, dataset, whole=n_buckets == dataset.info.n_buckets)
        self.n_before = dataset.info.n_buckets
        self.bucket = 0

    def __call__(self, first: int, stop: int) -> pa.Table:
        # buckets grow by powers of two: the users of a new one were all in the old one of the same remainder
        before = self.earlier.read(self.bucket % self.n_before, first, stop)
        self.bucket += 1
        return merge(before, tables.read_events(self.con, first, stop))
