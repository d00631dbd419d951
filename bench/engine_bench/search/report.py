"""A comparison of indexes as tables and lines; knows results and nothing of how they came about."""

from __future__ import annotations

from engine_bench.report import remarks
from engine_bench.search.results import Contest, Found, Pace, Row
from engine_bench.sheets import Sheet, times

BUILT_COLUMNS = ("", "build s", "CPU s", "load s", "disk", "memory", "load peak", "build peak")
PACE_COLUMNS = ("", "asked", "threads", "recall", "ef", "queries/s", "ours is", "in CPU s", "p50 ms", "p99 ms")
CURVE_COLUMNS = ("", "ef", "recall", "queries/s", "queries/CPU s")
KEY = (
    "build s: of the clock, CPU s: of all CPUs, of one build. disk, memory and peaks: bytes a vector; memory beyond "
    "that of the process with its library, after loading, at most while loading, and at most while building (the "
    "vectors given are in it). recall: share of the exact best that was found by the timed queries, at the least ef "
    "that reaches the target with them, to 1 in 64. queries/s: median of the rounds. ours is: so many "
    "times as fast, median of the ratios within the rounds [least, most], of the clock and in CPU seconds. The curve: "
    "one thread, all queries in one call."
)


def sheets(found: Found) -> list[Sheet]:
    """The tables: for each set of vectors what building took, the rates at the same recall, and the curves."""
    return [sheet for contest in found.contests for sheet in _sheets(found, contest)]


def settings(found: Found) -> dict[str, str]:
    """How each contender ran, by name."""
    return {row.name: row.settings for contest in found.contests for row in contest.rows}


def notes(found: Found) -> list[str]:
    """Lines after the tables: what the columns say, who was not timed or left out, who else was on the machine."""
    laps = (lap for contest in found.contests for row in contest.rows for pace in row.paces for lap in pace.laps)
    left_out = {name: why for contest in found.contests for name, why in contest.left_out.items()}
    missed = [_missed(row, contest.n_items) for contest in found.contests for row in contest.rows if not row.paces]
    return [KEY, *missed, *remarks(laps, left_out)]


def _missed(row: Row, count: int) -> str:
    return f"{row.name} is not timed over {count:,} vectors: recall {row.recall:.4f} at most, at ef {row.ef:,}."


def _sheets(found: Found, contest: Contest) -> list[Sheet]:
    size = f"{contest.n_items:,} vectors of {contest.dim} ({contest.origin})"
    built = f"{size}; M {found.m}, ef_construction {found.ef_construction}, all CPUs"
    asked = (
        f"{size}; recall@{found.k} of {found.target} on {contest.n_queries:,} queries, {contest.n_single:,} of them "
        f"asked singly, too; {found.rounds} rounds, every contender once a round in rotated order"
    )
    rows, paces = contest.rows, [(row, pace) for row in contest.rows for pace in row.paces]
    paces.sort(key=lambda each: (-each[1].threads, each[1].singly))
    points = [(row, point) for row in rows for point in row.curve]
    return [
        Sheet(built, BUILT_COLUMNS, tuple(_built(row, contest.n_items) for row in rows)),
        Sheet(asked, PACE_COLUMNS, tuple(_pace(row, pace) for row, pace in paces)),
        Sheet(
            f"{size}; recall against rate",
            CURVE_COLUMNS,
            tuple(
                (
                    row.name,
                    str(point.ef),
                    f"{point.recall:.4f}",
                    f"{point.rate.median:,.0f}",
                    f"{point.rate_cpu.median:,.0f}",
                )
                for row, point in points
            ),
        ),
    ]


def _built(row: Row, count: int) -> tuple[str, ...]:
    sizes = (row.built.disk, row.loaded.held, row.loaded.peak, row.built.peak)
    return (
        row.name,
        f"{row.built.wall:.1f}",
        f"{row.built.cpu:.1f}",
        f"{row.loaded.seconds:.2f}",
        *(f"{size / count:,.0f}" for size in sizes),
    )


def _pace(row: Row, pace: Pace) -> tuple[str, ...]:
    return (
        row.name,
        "singly" if pace.singly else "at once",
        str(pace.threads),
        f"{row.recall:.4f}",
        str(row.ef),
        f"{pace.rate.median:,.0f}",
        times(pace.ours),
        times(pace.ours_cpu),
        f"{pace.p50 * 1e3:.3f}" if pace.singly else "",
        f"{pace.p99 * 1e3:.3f}" if pace.singly else "",
    )
