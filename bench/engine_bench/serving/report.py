"""A comparison of whole nights as tables and lines; knows results and nothing of how they came about."""

from __future__ import annotations

from engine_bench.report import remarks
from engine_bench.serving.contest import Row, Times, rate
from engine_bench.serving.entry import LARGE, Found
from engine_bench.sheets import Sheet, times
from engine_bench.statistics import Spread, spread
from engine_models.metrics import Estimate

SPEED = ("", "users/s", "ours is", "ours is, by CPU", "CPU s", "peak MB", "NDCG@10")
QUALITY = ("", "users", "NDCG@10", "Recall@10", "NDCG@10 less ours")
USERS = "users alone: from histories to profiles and recommendations, written; items are encoded and indexed"
WHOLE = "the whole night: items are encoded from their texts and indexed, then users are served"
JUDGED = "the timed lists against each user's test event: all items ranked but those seen; 95 % intervals over users"
KEY = (
    "ours is: so many times as fast by the clock, then in CPU seconds, median of the ratios within the rounds [least, "
    "most]. CPU s: of a round, median. Models are loaded before."
)
ONCE = (
    "{name} ran once, on {users:,} users and {items:,} items, beside a night of ours; its times are scaled up to all."
)
RANDOM = (
    "{name} has random weights, for no model folder was given with --large: its speed is that of trained ones, its "
    "ranking says nothing."
)


def sheets(found: Found) -> list[Sheet]:
    """Users alone, the whole night, each with quality beside its speed; then quality with its intervals."""
    title = (
        f"{found.users:,} users with {found.events:,} events, {found.items:,} items, {found.threads} threads each, "
        f"{len(found.rows[0].laps)} rounds in rotated order; "
    )
    users = tuple(_speed(row, found.users, row.users, row.ours_users, row.ours_users_cpu) for row in found.rows)
    whole = tuple(_speed(row, found.users, row.whole, row.ours_whole, row.ours_whole_cpu) for row in found.rows)
    return [
        Sheet(title + USERS, SPEED, users),
        Sheet(title + WHOLE, SPEED, whole),
        Sheet(JUDGED, QUALITY, tuple(_quality(row) for row in found.rows)),
    ]


def settings(found: Found) -> dict[str, str]:
    """How each contender ran, by name."""
    return {row.name: row.settings for row in found.rows}


def notes(found: Found) -> list[str]:
    """Lines after the tables: what columns say, how `LARGE` ran, who was left out, who else was on the machine."""
    lines = [KEY]
    for row in found.rows:
        if row.name == LARGE:
            lines.append(ONCE.format(name=LARGE, users=row.n_users, items=row.n_items))
            lines += [RANDOM.format(name=LARGE)] if found.large is None else []
    return [*lines, *remarks((lap for row in found.rows for lap in row.laps), found.left_out)]


def _speed(row: Row, n_users: int, took: Times, ours: Spread, ours_cpu: Spread) -> tuple[str, ...]:
    return (
        row.name,
        f"{rate(n_users, took).median:,.1f}",
        times(ours),
        times(ours_cpu),
        f"{spread(took.cpu).median:,.1f}",
        f"{row.peak / 1e6:,.0f}",
        f"{row.quality.ndcg.mean:.4f}" if row.quality else "not judged",
    )


def _quality(row: Row) -> tuple[str, ...]:
    if row.quality is None:
        return (row.name, f"{row.n_users:,}", "not judged: not all items were read", "", "")
    quality = row.quality
    shown = (_interval(quality.ndcg), _interval(quality.recall), _interval(quality.ndcg_less_ours, "+"))
    return (row.name, f"{row.n_users:,}", *shown)


def _interval(value: Estimate, sign: str = "") -> str:
    return f"{value.mean:{sign}.4f} [{value.low:{sign}.4f}, {value.high:{sign}.4f}]"
