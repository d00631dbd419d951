"""Habits: when and how often a user acts, and how. Pure; knows histories, and no item.

Hours and weekdays are in UTC, for logs seldom say where a user is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine_runtime.data.histories import Histories
from engine_runtime.data.schema import NO_TIME
from engine_runtime.profile.shares import list_of_shares, share_type

HOUR = 3600
DAY = 24 * HOUR
WEEK = 7 * DAY
THURSDAY = 3  # the weekday of 1 January 1970, with Monday 0

FIELDS = [
    pa.field("hours", pa.list_(pa.float32())),  # 24 shares of events by hour of day
    pa.field("weekdays", pa.list_(pa.float32())),  # 7 shares, Monday first
    pa.field("days_since_last", pa.float32()),
    pa.field("events_per_week", pa.float32()),
    pa.field("types", share_type("type")),
]
TYPE = pa.struct(FIELDS)


def habits(histories: Histories, event_types: Sequence[str], as_of: int | None) -> pa.StructArray:
    """Habits of each user.

    Parameters
    ----------
    histories
        Of U users.
    event_types
        Names.
    as_of
        Moment that recency is counted from, seconds since 1970; None where no event has a time.

    Returns
    -------
    struct [U]
        ``hours``, ``weekdays``, ``days_since_last`` and ``events_per_week`` are null for a user without timed events.
        The rate is events over the weeks from the first event to `as_of`, a week at the least.
    """
    timed = histories.times != NO_TIME
    rows, times = histories.rows[timed], histories.times[timed]
    counts = np.bincount(rows, minlength=len(histories))
    none = counts == 0
    first = np.full(len(histories), np.iinfo(np.int64).max)
    last = np.full(len(histories), np.iinfo(np.int64).min)
    np.minimum.at(first, rows, times)
    np.maximum.at(last, rows, times)
    now = np.int64(as_of or 0)
    since = np.where(none, 0, now - last) / DAY
    weeks = np.maximum(np.where(none, 0, now - first) / WEEK, 1)
    columns = [
        _histogram(rows, times % DAY // HOUR, 24, counts),
        _histogram(rows, (times // DAY + THURSDAY) % 7, 7, counts),
        pa.array(since.astype(np.float32), mask=none),
        pa.array((counts / weeks).astype(np.float32), mask=none),
        list_of_shares(
            histories.rows,
            histories.types.astype(np.int64),
            np.ones(histories.n_events),
            len(histories),
            event_types,
        ),
    ]
    return pa.StructArray.from_arrays(columns, fields=FIELDS)


def _histogram(
    rows: npt.NDArray[np.int64], bins: npt.NDArray[np.int64], n_bins: int, counts: npt.NDArray[np.int64]
) -> pa.ListArray:
    """Shares of each user's events by bin; null where there are none."""
    sums = np.bincount(rows * n_bins + bins, minlength=len(counts) * n_bins).reshape(-1, n_bins)
    kept = counts > 0
    shares = (sums[kept] / counts[kept, None]).astype(np.float32)
    offsets = np.concatenate(([0], np.cumsum(kept * n_bins))).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(shares.ravel()), mask=pa.array(~kept))
