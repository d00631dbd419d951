"""Users: from staged cells and sound events to the numbered table ``users``.

Knows who a user is and which bucket holds one; knows nothing of files.
"""

# ruff: noqa: S608 (statements are put together from this package's own names and from quoted literals)
from __future__ import annotations

from typing import TYPE_CHECKING

from engine_runtime.data.database import scalar

if TYPE_CHECKING:
    import duckdb

    from engine_runtime.data.config import UsersConfig

MOST_BUCKETS = 8192
USERS_A_BUCKET = 50_000
EVENTS_A_BUCKET = 1 << 20
"""A bucket is the unit of work: what a reader or writer has in memory at once. It follows from the data alone, not from
the memory allowed, so that equal data gives an equal data set on any machine."""


def user_columns(users: UsersConfig) -> dict[str, str]:
    """Column of the user files for each role: ``user_id``, then ``a0``, ``a1``, ... for the attributes."""
    return {"user_id": users.id, **{f"a{number}": name for number, name in enumerate(users.attributes)}}


def tidy_users(con: duckdb.DuckDBPyConnection, n_attributes: int) -> None:
    """Make the table ``user_rows`` from the staged ``user_cells``, with a reason for each refused row."""
    attributes = "".join(f", tidy(a{number}) AS a{number}" for number in range(n_attributes))
    con.execute(
        f"CREATE TABLE user_rows AS SELECT file, line, tidy(user_id) AS user_id{attributes}, "
        "coalesce(problem, id_problem(tidy(user_id), 'user')) AS reason FROM user_cells"
    )
    con.execute("""
        UPDATE user_rows SET reason = 'user id was given before'
        FROM (
            SELECT user_id, min((file, line)) AS place FROM user_rows WHERE reason IS NULL GROUP BY user_id
        ) AS firsts
        WHERE user_rows.user_id = firsts.user_id AND reason IS NULL
            AND (user_rows.file, user_rows.line) != place
    """)
    con.execute("DROP TABLE user_cells")


def without_users(con: duckdb.DuckDBPyConnection, n_attributes: int = 0) -> None:
    """Make an empty ``user_rows``, where there is no user file."""
    attributes = "".join(f", a{number} VARCHAR" for number in range(n_attributes))
    con.execute(f"CREATE TABLE user_rows (file INTEGER, line BIGINT, user_id VARCHAR{attributes}, reason VARCHAR)")


def number_users(con: duckdb.DuckDBPyConnection, n_attributes: int, buckets: int | None, n_earlier: int = 0) -> int:
    """Make the table ``users``: everyone with an event, a list or a row, numbered by bucket and id.

    Parameters
    ----------
    con
        With the tables ``parsed``, ``listed``, ``items`` and ``user_rows``.
    n_attributes
        Columns ``a0``, ``a1``, ... of ``user_rows``.
    buckets
        How many; as `default_buckets` has it, if not given.
    n_earlier
        Sound events that are not in ``parsed`` and count all the same.

    Returns
    -------
    int
        Number of buckets.
    """
    con.execute("""
        CREATE TABLE people AS
        SELECT user_id FROM parsed SEMI JOIN items USING (item_id) WHERE reason IS NULL
        UNION SELECT user_id FROM listed
        UNION SELECT user_id FROM user_rows WHERE reason IS NULL
    """)
    n_events = n_earlier + scalar(con, "SELECT count(*) FROM parsed WHERE reason IS NULL")
    n_buckets = buckets or default_buckets(scalar(con, "SELECT count(*) FROM people"), n_events)
    attributes = "".join(f", a{number}" for number in range(n_attributes))
    # MD5 and not DuckDB's own hash, which may change from version to version
    con.execute(f"""
        CREATE TABLE users AS
        SELECT CAST(row_number() OVER (ORDER BY bucket, user_id) - 1 AS INTEGER) AS user, *
        FROM (
            SELECT CAST('0x' || substr(md5(user_id), 1, 8) AS UBIGINT) % {int(n_buckets)} AS bucket,
                user_id{attributes}
            FROM people LEFT JOIN (SELECT * FROM user_rows WHERE reason IS NULL) AS described USING (user_id)
        )
    """)
    con.execute("DROP TABLE people")
    return n_buckets


def default_buckets(n_users: int, n_events: int) -> int:
    """Smallest power of two that leaves about `USERS_A_BUCKET` users and `EVENTS_A_BUCKET` events to a bucket."""
    parts = max(-(-n_users // USERS_A_BUCKET), -(-n_events // EVENTS_A_BUCKET))
    return min(1 << max(0, parts - 1).bit_length(), MOST_BUCKETS)
