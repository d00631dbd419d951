"""What a comparison of encoders comes to, for tables and for JSON alike; knows nothing of how it came about."""

from __future__ import annotations

from dataclasses import dataclass

from engine_bench.fingerprint import Fingerprint
from engine_bench.rounds import Lap
from engine_bench.statistics import Spread
from engine_export.parity import VectorParity


@dataclass(frozen=True)
class Row:
    """What was measured of one peer; speed is not kept apart from quality.

    Attributes
    ----------
    name, settings
        Which peer, and how it ran, for people.
    laps
        All raw rounds.
    tokens, texts
        A second of the clock, tokenization included.
    ours
        How many times ours is as fast: ratios within the rounds.
    cpu
        CPU seconds of a round.
    peak
        Most memory of its process, in bytes.
    quality
        Against the float32 vectors, of the very vectors of the last lap.
    """

    name: str
    settings: str
    laps: tuple[Lap, ...]
    tokens: Spread
    texts: float
    ours: Spread
    cpu: float
    peak: int
    quality: VectorParity


@dataclass(frozen=True)
class Latency:
    """One text at a time.

    Attributes
    ----------
    name, settings
        Which peer, and how it ran.
    p50, p99
        Seconds.
    ours
        How many times ours is as fast at the median: ratios within the rounds.
    seconds
        Of each call, round by round.
    """

    name: str
    settings: str
    p50: float
    p99: float
    ours: Spread
    seconds: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Comparison:
    """What came out.

    Attributes
    ----------
    fingerprint
        What it was measured on.
    texts, tokens, threads, rounds
        What each peer encoded, and with what.
    rows
        The peers that took part, ours first.
    short_tokens
        Tokens of the text of the latency.
    latency
        Those that were asked for one text at a time.
    left_out
        Why the others did not take part, by name.
    """

    fingerprint: Fingerprint
    texts: int
    tokens: int
    threads: int
    rounds: int
    rows: tuple[Row, ...]
    short_tokens: int
    latency: tuple[Latency, ...]
    left_out: dict[str, str]
