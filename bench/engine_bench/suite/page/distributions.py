"""The chart of latencies: each scenario's time at every quantile that its count supports.

Knows histograms; draws with `charts`. Quantiles lie on an axis of nines, since it is the slow requests that differ.
"""

from __future__ import annotations

from engine_bench.suite.histogram import Histogram
from engine_bench.suite.page.charts import KINDS, Chart, Series, draw
from engine_bench.suite.page.markup import Markup
from engine_bench.suite.page.scales import beyond, logarithmic, nines
from engine_bench.suite.page.units import number
from engine_bench.suite.record import Record

STEPS_A_NINE = 12
BEYOND = 10
LEAST = 3 * BEYOND


def latency_curves(record: Record) -> Markup | None:
    """A line for each scenario, and a broken one beside it that counts from the start of work; None without any."""
    rows = [row for row in record.rows if row.latency is not None and len(row.latency) >= LEAST][:KINDS]
    series = tuple(
        _quantiles(row.scenario + from_, histogram, kind, dashed)
        for kind, row in enumerate(rows)
        for from_, histogram, dashed in (("", row.latency, False), (", work alone", row.service, True))
        if histogram is not None and len(histogram) >= LEAST
    )
    if not series:
        return None
    shares = [share for one in series for share, _ in one.points]
    times = [time for one in series for _, time in one.points]
    told = "One line for each scenario. " + "; ".join(map(_ends, series)) + ". The table has the figures."
    axes = (nines(max(shares)), logarithmic(times))
    titles = ("share of requests", "ms, logarithmic")
    return draw(Chart("latency-curves", "Time that a share of the requests stays within", told, *titles, *axes, series))


def _quantiles(name: str, histogram: Histogram, kind: int, dashed: bool) -> Series:
    """A line from the median to the last quantile with ten requests beyond it."""
    first, most = beyond(0.5), beyond(1 - BEYOND / len(histogram))
    count = max(2, round((most - first) * STEPS_A_NINE))
    shares = (1 - 10 ** -(first + (most - first) * place / count) for place in range(count + 1))
    points = tuple((share, histogram.quantile(share).value * 1e3) for share in shares if histogram.supports(share))
    return Series(name, points, (), kind, dashed)


def _ends(series: Series) -> str:
    half, last = series.points[0], series.points[-1]
    return f"{series.name}: {number(half[1])} ms at the median, {number(last[1])} ms at {last[0]:.2%}"
