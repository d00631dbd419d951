"""From cells to typed events, in SQL: ids trimmed, numbers and times read, a reason for every refused row.

Cells come in batches, and only what was made of them is kept. Knows what makes an event sound; knows nothing of files,
items or users. A reason never quotes an id or a number, which may identify a person.
"""

# ruff: noqa: S608 (statements are put together from this package's own names and from quoted literals)
from __future__ import annotations

import duckdb

from engine_runtime.data.config import TIME_FORMATS, DatasetConfig, EventsConfig
from engine_runtime.errors import UsageError

SPACES = " \t\r\n\v\f\u00a0\u2007\u2009\u202f\u3000\ufeff"
"""What is cut from both ends of a cell: the usual blanks, and those of East Asian text and spreadsheets."""
PLAIN = "[!-~]([ -~]*[!-~])?"
"""A cell of printable ASCII with no blank at its ends."""
LAST_TIME = 253_402_300_799
"""The end of the year 9999, in seconds since 1970."""
SHOWN_TYPE = 40
"""Characters of an unknown type that a reason shows."""

ROLES = ("user_id", "item_id", "type", "time", "ordinal", "value", "quantity", "price", "list")
"""What a column of the event files can be."""


def event_columns(events: EventsConfig) -> dict[str, str]:
    """Column of the event files for each role that `events` gives one."""
    given = {
        "user_id": events.user,
        "item_id": events.item,
        "type": events.type,
        "time": events.time,
        "ordinal": events.order,
        "value": events.value,
        "quantity": events.quantity,
        "price": events.price,
        "list": events.item_list,
    }
    return {role: column for role, column in given.items() if column is not None}


def define_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Define ``tidy`` (trimmed; null where empty), ``number`` (null where not finite) and ``id_problem``."""
    # most cells are plain and need no trimming, which takes seven times as long as to see that
    con.execute(
        f"CREATE OR REPLACE MACRO tidy(x) AS CASE WHEN regexp_full_match(x, '{PLAIN}') THEN x "
        f"ELSE nullif(trim(replace(x, chr(0), chr(65533)), '{SPACES}'), '') END"
    )
    con.execute(
        "CREATE OR REPLACE MACRO number(x) AS CASE WHEN isfinite(TRY_CAST(x AS DOUBLE)) THEN TRY_CAST(x AS DOUBLE) END"
    )
    con.execute(
        "CREATE OR REPLACE MACRO id_problem(x, what) AS CASE WHEN x IS NULL THEN what || ' id is missing' "
        "WHEN contains(x, chr(65533)) THEN what || ' id holds bytes that are no text' END"
    )


def begin_events(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables that `parse_events` adds to, empty.

    ``parsed`` has ``file``, ``line``, ``user_id``, ``item_id``, ``type`` TINYINT, ``value``, ``quantity``,
    ``price`` FLOAT, ``time`` BIGINT (-1 unknown), ``ordinal`` BIGINT (what orders a user's events; null where
    the place is not known) and ``reason`` (null where the row is sound). Users that have an empty list go to
    ``listed``; how many repeats were dropped to ``duplicates``.
    """
    con.execute(
        "CREATE TABLE parsed (file INTEGER, line BIGINT, user_id VARCHAR, item_id VARCHAR, type TINYINT, value FLOAT, "
        "quantity FLOAT, price FLOAT, time BIGINT, ordinal BIGINT, reason VARCHAR)"
    )
    con.execute("CREATE TABLE listed (user_id VARCHAR)")
    con.execute("CREATE TABLE duplicates (n BIGINT)")


def parse_events(con: duckdb.DuckDBPyConnection, config: DatasetConfig, events: EventsConfig) -> None:
    """Add what is in the staged table ``event_cells`` to ``parsed`` and ``listed``.

    Raises
    ------
    UsageError
        The time format is no strptime format.
    """
    columns = event_columns(events)
    tidied = ", ".join(f"{f'tidy({role})' if role in columns else 'NULL::VARCHAR'} AS {role}" for role in ROLES)
    if events.item_list is not None:
        _unfold(con, tidied, events.separator)
    else:
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW tidied AS SELECT file, line, problem, 0 AS spot, {tidied} FROM event_cells"
        )
    settings = {
        "default_type": config.default_type,
        "names": list(config.types),
        "known": ", ".join(config.types),
        "unknown_order": events.unknown_order,
        "by_order": events.order is not None,
        "by_list": events.item_list is not None,
        "by_time": events.time is not None and events.order is None,
    }
    try:
        con.execute(_typed_sql(events.time_format), settings)
    except duckdb.InvalidInputException as error:
        if "format specifier" not in str(error):
            raise
        raise UsageError(f"[events] time_format '{events.time_format}' is no strptime format: {error}") from error


def _unfold(con: duckdb.DuckDBPyConnection, tidied: str, separator: str) -> None:
    """Make ``tidied`` from rows that hold a whole history each, and add to ``listed``; a JSON list is read as one."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE lists AS
        SELECT *, coalesce(problem, id_problem(user_id, 'user')) AS trouble, [
            x FOR x IN
            CASE WHEN list IS NULL THEN []
                WHEN list LIKE '[%' AND json_valid(list) THEN from_json(list, '["VARCHAR"]')
                ELSE string_split(list, $separator) END
            IF tidy(x) IS NOT NULL
        ] AS ids
        FROM (SELECT file, line, problem, {tidied} FROM event_cells)
        """,
        {"separator": separator},
    )
    cells = ", ".join(role for role in ROLES if role != "item_id")
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW tidied AS
        SELECT file, line, problem, {cells}, tidy(unnest(ids)) AS item_id,
            generate_subscripts(ids, 1) - 1 AS spot
        FROM lists
        UNION ALL
        SELECT file, line, trouble, {cells}, NULL, 0 FROM lists WHERE len(ids) = 0 AND trouble IS NOT NULL
    """)
    con.execute("INSERT INTO listed SELECT DISTINCT user_id FROM lists WHERE len(ids) = 0 AND trouble IS NULL")


def time_sql(time_format: str) -> str:
    """Return the expression of ``time`` in seconds since 1970, as DOUBLE; null where it cannot be read."""
    if time_format == "iso":
        # the cast accepts 'infinity', which no clock shows
        moment = "TRY_CAST(time AS TIMESTAMPTZ)"
        return f"CASE WHEN isfinite({moment}) THEN floor(epoch({moment})) END"
    if time_format in TIME_FORMATS:
        units = {"seconds": 1, "milliseconds": 1000, "microseconds": 1_000_000}[time_format]
        return f"floor(number(time) / {units})"
    quoted = time_format.replace("'", "''")
    return f"floor(epoch(try_strptime(time, '{quoted}')))"


def _typed_sql(time_format: str) -> str:
    return f"""
        INSERT INTO parsed
        WITH numbers AS (
            SELECT file, line, problem, user_id, item_id, coalesce(type, $default_type) AS type, spot,
                time, {time_sql(time_format)} AS seconds, ordinal, number(ordinal) AS place,
                value, quantity, price, TRY_CAST(number(value) AS FLOAT) AS value_number,
                TRY_CAST(number(quantity) AS FLOAT) AS quantity_number,
                TRY_CAST(number(price) AS FLOAT) AS price_number
            FROM tidied
        )
        SELECT file, line, user_id, item_id,
            CAST(list_position($names, type) - 1 AS TINYINT) AS type,
            value_number AS value, quantity_number AS quantity, price_number AS price,
            CASE WHEN seconds BETWEEN 0 AND {LAST_TIME} THEN CAST(seconds AS BIGINT) ELSE -1 END AS time,
            CASE WHEN $by_list THEN spot
                 WHEN $by_order THEN nullif(TRY_CAST(place AS BIGINT), $unknown_order)
                 ELSE TRY_CAST(seconds AS BIGINT) END AS ordinal,
            CASE WHEN problem IS NOT NULL THEN problem
                 WHEN id_problem(user_id, 'user') IS NOT NULL THEN id_problem(user_id, 'user')
                 WHEN id_problem(item_id, 'item') IS NOT NULL THEN id_problem(item_id, 'item')
                 WHEN type IS NULL THEN 'event type is missing'
                 WHEN NOT list_contains($names, type)
                     THEN format('unknown event type ''{{}}'' (known: {{}})',
                     left(type, {SHOWN_TYPE}), $known)
                 WHEN $by_order AND ordinal IS NULL THEN 'order is missing'
                 WHEN $by_order AND (place IS NULL OR place != floor(place) OR abs(place) > 9e15)
                     THEN 'order is no whole number'
                 WHEN $by_time AND time IS NULL THEN 'time is missing'
                 WHEN time IS NOT NULL AND seconds IS NULL THEN 'time cannot be read'
                 WHEN seconds NOT BETWEEN 0 AND {LAST_TIME} THEN 'time is before 1970 or after 9999'
                 WHEN value IS NOT NULL AND value_number IS NULL THEN 'value is no finite number'
                 WHEN quantity IS NOT NULL AND quantity_number IS NULL THEN 'quantity is no finite number'
                 WHEN price IS NOT NULL AND price_number IS NULL THEN 'price is no finite number'
            END AS reason
        FROM numbers
    """


def drop_duplicates(con: duckdb.DuckDBPyConnection) -> None:
    """Keep the first of each event that repeats exactly, by file and line."""
    con.execute("""
        CREATE TABLE kept AS SELECT * FROM parsed WHERE reason IS NULL
        QUALIFY row_number() OVER (
            PARTITION BY user_id, item_id, type, time, ordinal ORDER BY file, line) = 1
    """)
    con.execute("INSERT INTO kept SELECT * FROM parsed WHERE reason IS NOT NULL")
    con.execute("INSERT INTO duplicates SELECT (SELECT count(*) FROM parsed) - (SELECT count(*) FROM kept)")
    con.execute("DROP TABLE parsed")
    con.execute("ALTER TABLE kept RENAME TO parsed")
