"""Finding a peer's best setting by trying each; knows peers by their interface alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from engine_bench.peers.contract import Peer

T = TypeVar("T")

ROUNDS = 3
REPEATS = 2


def fastest(candidates: Sequence[T], load: Callable[[T], Peer], texts: Sequence[str]) -> T:
    """The setting that encodes `texts` fastest: each is run in turn, and its best time of several counts.

    Parameters
    ----------
    candidates
        Settings to try.
    load
        Makes the peer with a setting.
    texts
        What is encoded, repeated so that there are several batches of any size.
    """
    if len(candidates) == 1:
        return candidates[0]
    loaded, many = [load(candidate) for candidate in candidates], list(texts) * REPEATS
    rounds = [[_seconds(peer, many) for peer in loaded] for _ in range(1 + ROUNDS)]  # the first one warms them up
    best = [min(times) for times in zip(*rounds[1:], strict=True)]
    return candidates[best.index(min(best))]


def _seconds(peer: Peer, texts: Sequence[str]) -> float:
    started = time.perf_counter()
    peer.encode(texts)
    return time.perf_counter() - started
