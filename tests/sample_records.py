"""A run of the whole suite, and a history of runs, as a machine might have measured them; made up from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from engine_bench.suite.card import Card
from engine_bench.suite.histogram import Histogram, Interval
from engine_bench.suite.record import Point, Quality, Record, Row, StageTime

CARD = Card(
    processor="Example 9000 (made-up figures, <not> measured)",
    features=("avx2", "avx512_vnni", "avx512f"),
    cpus=2,
    caches={"L1 data": 32 << 10, "L2": 1 << 20, "L3": 32 << 20},
    quota=None,
    governor="performance",
    turbo="1",
    memory=16 << 30,
    gpus=(),
    kernel="Linux 6.1",
    libraries={"onnxruntime": "1.31.1", "numpy": "2.4.0", "hnswlib": "0.8.0", "python": "3.11.2"},
)
PARITY = {
    "text cosine_mean": 0.9985,
    "text overlap_at_10": 0.949,
    "batch largest_difference": 1.5e-8,
    "ndcg change": -1e-4,
}
QUALITY = Quality(PARITY, Interval(0.0601, 0.0567, 0.0635), Interval(0.0952, 0.0904, 0.1001), 5000)
LEVEL = 0.05


def whole_record(seed: int = 0, started: str = "2026-11-20T02:00:00Z", speed: float = 1.0) -> Record:
    """A record with a row for every scenario."""
    random = np.random.default_rng(seed)
    rows = (_single(random), _offline(random, speed), _server(random, speed), _burst(random), *_others(random))
    artefacts = {"bundle": "b" * 64, "index": "c" * 64, "dataset": "d" * 64, "precision": "int8"}
    return Record("cpu-vnni", CARD, artefacts, f"{seed:040x}", started, 540.0, rows)


def history(count: int = 30, steps: Sequence[int] = (18,), seed: int = 0) -> list[Record]:
    """Records of as many nights, each step of which is a tenth slower."""
    random = np.random.default_rng(seed)
    first = datetime(2026, 10, 1, 2, tzinfo=UTC)
    records = []
    for night in range(count):
        speed = 0.9 ** sum(night >= step for step in steps) * random.normal(1, 0.012)
        started = (first + timedelta(days=night)).isoformat().replace("+00:00", "Z")
        records.append(whole_record(seed + night, started, float(speed)))
    return records


def _around(value: float, random: np.random.Generator, spread: float = 0.02) -> Interval:
    middle = float(value * random.normal(1, spread / 2))
    return Interval(middle, middle * (1 - spread), middle * (1 + spread))


def _durations(random: np.random.Generator, middle: float, count: int, spread: float = 0.25) -> Histogram:
    slow = np.where(random.random(count) < 0.01, random.gamma(2, middle * 2, count), 0)
    return Histogram.of(middle * random.lognormal(0, spread, count) + slow)


def _single(random: np.random.Generator) -> Row:
    latency = _durations(random, 0.0031, 4000)
    figures = {"users_per_second": _around(305.0, random), "cpu_seconds": Interval(12.9), "peak_bytes": Interval(3.1e8)}
    stages = {"read": StageTime(0.4, 0.4), "refiner": StageTime(5.2, 5.1), "search": StageTime(4.4, 4.3)}
    return Row("single", QUALITY, figures, latency=latency, service=None, stages=stages | {"rank": StageTime(2.1, 2.0)})


def _offline(random: np.random.Generator, speed: float) -> Row:
    rate = _around(2480.0 * speed, random, 0.01)
    rounds = {"users_per_second": tuple(float(rate.value * random.normal(1, 0.01)) for _ in range(7))}
    stages = {
        "read": StageTime(0.9, 0.9),
        "refiner": StageTime(3.8, 7.4),
        "search": StageTime(2.6, 5.1),
        "rank": StageTime(1.4, 2.7),
        "write": StageTime(0.3, 0.3),
    }
    figures = {"users_per_second": rate, "cpu_seconds": Interval(16.4, 16.3, 16.6), "peak_bytes": Interval(4.4e8)}
    tokens = {"real": 168_201, "padded": 171_008}
    return Row("offline", QUALITY, figures, rounds, stages=stages, tokens=tokens, foreign=0.31)


def _server(random: np.random.Generator, speed: float) -> Row:
    best = 231.0 * speed
    rates = [rate * speed for rate in (40.0, 80.0, 120.0, 160.0, 200.0, 231.0, 245.0, 260.0)]
    curve = tuple(
        Point(
            {
                "requests_per_second": rate,
                "p50_seconds": 0.0034 / (1 - rate / (300 * speed)) ** 0.5,
                "p99_seconds": 0.009 / (1 - rate / (282 * speed)),
                "late_share": 0.0004 + 1e-5 * rate,
            }
        )
        for rate in rates
    )
    figures = {
        "requests_per_second": Interval(best),
        "p99_seconds": Interval(0.0463, 0.0421, 0.0498),
        "service_level_seconds": Interval(LEVEL),
        "late_share": Interval(0.0021),
        "cpu_seconds_per_request": Interval(0.0081),
        "closed_loop_p99_seconds": Interval(0.0074, 0.0069, 0.0081),
    }
    latency, service = _durations(random, 0.0092, 12_000, 0.5), _durations(random, 0.0033, 12_000)
    note = "A closed loop beside it would have reported p99 7.4 ms: it does not count the time that requests wait."
    return Row("server", QUALITY, figures, latency=latency, service=service, curve=curve, notes=(note,))


def _burst(random: np.random.Generator) -> Row:
    figures = {"drain_seconds": _around(0.92, random)}
    return Row("burst", QUALITY, figures, latency=_durations(random, 0.21, 2000, 0.6))


def _others(random: np.random.Generator) -> tuple[Row, ...]:
    breadths = (
        (10, 0.91, 24_000.0),
        (20, 0.962, 18_100.0),
        (40, 0.986, 12_400.0),
        (80, 0.995, 7_900.0),
        (160, 0.9991, 4_600.0),
    )
    search = tuple(
        Point({"ef": float(ef), "recall": recall, "queries_per_second": rate}) for ef, recall, rate in breadths
    )
    memory = tuple(
        Point({"batches": float(100 * step), "rss_bytes": 4.3e8 + 2e6 * float(random.random())}) for step in range(11)
    )
    cold = {
        "import_seconds": _around(0.24, random),
        "load_seconds": _around(0.61, random),
        "first_seconds": _around(0.02, random),
    }
    found = {
        "queries_per_second": _around(12_400.0, random),
        "recall": Interval(0.986, 0.984, 0.988),
        "build_seconds": Interval(6.2),
    }
    return (
        Row("cold", QUALITY, cold),
        Row("search", QUALITY, found, curve=search, latency=_durations(random, 8e-5, 20_000)),
        Row(
            "end_to_end",
            QUALITY,
            {"users_per_second": _around(1710.0, random), "peak_bytes": Interval(5.2e8)},
            foreign=0.02,
        ),
        Row("soak", QUALITY, {"growth_bytes_per_1000_batches": Interval(-2100.0, -9000.0, 5100.0)}, curve=memory),
    )
