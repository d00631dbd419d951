"""Events from files to the table ``parsed``, a batch of cells at a time.

Knows the order of reading and typing; each is done elsewhere. Whoever takes events from files, for a new data set or
for one that is there, takes them by this.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from engine_runtime.data.clean import begin_events, drop_duplicates, event_columns, parse_events
from engine_runtime.data.staging import Report, stage

if TYPE_CHECKING:
    import duckdb

    from engine_runtime.data.config import DatasetConfig
    from engine_runtime.data.sources import Source


def read_events(
    con: duckdb.DuckDBPyConnection, config: DatasetConfig, source: Source | None, report: Report | None
) -> None:
    """Make the tables ``parsed``, ``listed`` and ``duplicates`` of `begin_events`, and fill them.

    Parameters
    ----------
    con
        The database, its macros defined.
    config
        Which column is what.
    source
        Files of events; None leaves the tables empty.
    report
        Told of each block that is read.

    Raises
    ------
    InputError
        A column is missing, a file cannot be read, or there are no rows at all.
    UsageError
        The time format is no strptime format.
    """
    begin_events(con)
    if source is None or config.events is None:
        return
    parse = partial(parse_events, con, config, config.events)
    stage(con, "event_cells", source, event_columns(config.events), report=report, consume=parse)
    if config.events.duplicates == "drop":
        drop_duplicates(con)
