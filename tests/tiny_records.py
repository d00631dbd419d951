"""Records of the suite as no machine measured them."""

from collections.abc import Sequence

from engine_bench.suite.card import Card
from engine_bench.suite.histogram import Interval
from engine_bench.suite.record import Quality, Record, Row

CARD = Card(
    "Example 9000", ("avx2", "avx512_vnni"), 2, {"L2": 1 << 20}, None, "", "", 1 << 34, (), "Linux 6", {"numpy": "2"}
)
QUALITY = Quality({"text cosine_mean": 0.999}, Interval(0.06, 0.05, 0.07), Interval(0.1, 0.09, 0.11), 500)


def row(scenario: str = "offline", rate: float = 100.0, rounds: Sequence[float] = ()) -> Row:
    """A row with one figure, users a second."""
    figures = {"users_per_second": Interval(rate)}
    return Row(scenario, QUALITY, figures, {"users_per_second": tuple(rounds)} if rounds else {})


def record(
    *rows: Row, card: Card = CARD, commit: str | None = "a" * 40, started: str = "2026-01-01T00:00:00Z"
) -> Record:
    """A record of rows."""
    return Record("cpu-vnni", card, {"bundle": "b" * 64, "precision": "int8"}, commit, started, 1.0, rows)
