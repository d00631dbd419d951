"""What stands in a release to be read: ids, attributes, and combinations that fewer than k users share.

No attack is made here: rows are counted. Knows columns of an output, and which items users have met; knows no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine_models.audit.figures import IDENTIFIES, LEAKS, Figure, Line
from engine_models.audit.released import Release
from engine_runtime.data.histories import Histories

Floats = npt.NDArray[np.float32]

SECTION = "groups"
SMALLEST = 5
"""k: a group of fewer users is small."""


def count_ids(release: Release, ids: pa.ChunkedArray) -> Figure:
    """Rows whose ``user_id`` is that of a user of the data set, whose `ids` are given."""
    found = int(pc.sum(pc.is_in(release.ids, value_set=ids)).as_py() or 0)
    return Line(SECTION, "user ids in plain text", "user_id", "rows").count(found, len(release), IDENTIFIES)


def count_groups(release: Release, k: int = SMALLEST) -> Iterator[Figure]:
    """Attributes that can be read, and rows that stand in groups of fewer than k users."""
    yield from _basics(release, k)
    yield _interests(release, k)
    yield _numbers(release, k)


def count_concepts(profiles: Floats, histories: Histories, k: int = SMALLEST) -> Figure:
    """Concepts whose items fewer than k users have met: who has such an interest is one of those few.

    Parameters
    ----------
    profiles
        Of single items, float32 [items, C]: an item is of the concept that it stands out in.
    histories
        Of all users, items numbered as in `profiles`; further ones are left out.
    k
        Size of a group that is not small.
    """
    concept = (profiles - profiles.mean(0)).argmax(1)
    known = histories.where(histories.items < len(profiles))
    pairs = np.unique(np.stack((concept[known.items], known.rows)), axis=1)
    users = np.bincount(pairs[0], minlength=profiles.shape[1])
    found = int(((users > 0) & (users < k)).sum())
    note = f"counted over the {len(histories):,} users of the data set; concepts that nobody has met are not counted"
    return Line(SECTION, f"concepts met by fewer than {k} users", "interests", "concepts", note).count(
        found, profiles.shape[1], LEAKS
    )


def _basics(release: Release, k: int) -> Iterator[Figure]:
    line = Line(SECTION, f"attributes together, fewer than {k} users", "basics", "rows")
    rows = [row or () for row in _values(release, "basics")]
    if not any(rows):
        yield _absent(line)
        return
    given = Counter(basic["name"] for row in rows for basic in row if basic["probability"] is None)
    for name, count in sorted(given.items()):
        yield Line(SECTION, f"{name} in plain text", "basics", "rows").count(count, len(rows), LEAKS)
    yield _small(line, [tuple((basic["name"], basic["value"]) for basic in row) for row in rows], k)


def _interests(release: Release, k: int) -> Figure:
    line = Line(SECTION, f"interests of fewer than {k} users", "interests", "rows")
    rows = [{interest["name"] for interest in row or ()} for row in _values(release, "interests")]
    if not any(rows):
        return _absent(line)
    users = Counter(name for row in rows for name in row)
    rare = sum(any(users[name] < k for name in row) for row in rows)
    return line.count(rare, len(rows), LEAKS)


def _numbers(release: Release, k: int) -> Figure:
    """Counts, days and sums that a row gives to the last digit."""
    told = [name for name in ("n_events", "habits", "spending") if name in release.columns]
    line = Line(SECTION, f"plain numbers, fewer than {k} users", " + ".join(told) or "none", "rows")
    numbers = [_plain(row) for table in release.tables(told) for row in table.to_pylist()] if told else []
    if not any(value is not None for row in numbers for value in row):
        return _absent(line)
    return _small(line, numbers, k, "events, days since the last one, sum spent: who knows them finds the row")


def _plain(row: dict[str, object]) -> tuple[object, ...]:
    habits, spending = row.get("habits"), row.get("spending")
    days = habits.get("days_since_last") if isinstance(habits, dict) else None
    total = spending.get("total") if isinstance(spending, dict) else None
    return row.get("n_events"), days, total


def _small(line: Line, rows: Sequence[tuple[object, ...]], k: int, note: str = "") -> Figure:
    """Rows that hold something and are like fewer than k - 1 others."""
    users = Counter(rows)
    sizes = [users[row] for row in rows if any(value is not None for value in row)]
    alone, small = sum(size == 1 for size in sizes), sum(size < k for size in sizes)
    said = f"{alone:,} rows are the only one of their kind"
    verdict = IDENTIFIES if alone else LEAKS
    named = Line(line.section, line.subject, line.column, line.measure, f"{said}; {note}" if note else said)
    return named.count(small, len(rows), verdict)


def _absent(line: Line) -> Figure:
    return Line(line.section, line.subject, line.column, line.measure, "not in this output").unmeasured()


def _values(release: Release, column: str) -> Iterable[list[dict[str, str | None]] | None]:
    if column not in release.columns:
        return []
    return [value for table in release.tables([column]) for value in table[column].to_pylist()]
