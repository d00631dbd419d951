"""Interleaved rounds: every peer once a round, so that a drift of the machine meets all alike.

Knows peers through their handles; knows nothing of tokens or of quality.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from engine_bench.load import LoadWatch
from engine_bench.peers.handle import Handle

T = TypeVar("T")

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Lap:
    """One peer in one round.

    Attributes
    ----------
    wall
        Seconds of the clock that each call took.
    cpu
        Seconds of all CPUs together that they took.
    foreign
        CPUs that other processes kept busy meanwhile; None where the system does not tell.
    """

    wall: tuple[float, ...]
    cpu: float
    foreign: float | None

    @property
    def seconds(self) -> float:
        """Of the clock, for all calls."""
        return sum(self.wall)


def rotated(members: Sequence[T], number: int) -> list[T]:
    """The order of round `number`: each member comes first in its turn."""
    first = number % max(len(members), 1)
    return [*members[first:], *members[:first]]


def run_rounds(handles: Sequence[Handle], calls: str, rounds: int, tell: Tell) -> dict[str, list[Lap]]:
    """Run all peers `rounds` times.

    Parameters
    ----------
    handles
        Loaded peers. One that fails on the way is out from there on, and has fewer laps than rounds.
    calls
        File of the texts of each call.
    rounds
        How often each peer has its turn.
    tell
        Told of each turn when it is over.

    Returns
    -------
    dict of lists
        By name, the laps of each peer, in order. The vectors of the last lap are in `vectors_of` the peer.
    """
    laps: dict[str, list[Lap]] = {handle.name: [] for handle in handles}
    for number in range(rounds):
        for handle in rotated(handles, number):
            watch = LoadWatch.start()
            if reply := handle.encode(calls, vectors_of(handle)):
                lap = Lap(reply.wall, reply.cpu, watch.foreign(reply.cpu))
                laps[handle.name].append(lap)
                tell(f"round {number + 1} of {rounds}: {handle.name}, {lap.seconds:.2f} s")
    return laps


def vectors_of(handle: Handle) -> Path:
    """Where the vectors of a peer's last lap are: float32 [texts, dim], as .npy."""
    return handle.folder / f"{handle.name}.npy"
