"""Interleaved rounds: every member once a round, so that a drift of the machine meets all alike.

Knows members by their turns; knows nothing of tokens or of quality.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from engine_bench.load import LoadWatch
from engine_bench.peers.handle import Handle

T = TypeVar("T")

Tell = Callable[[str], None]

Spent = tuple[tuple[float, ...], float]
"""Seconds of the clock that each call of a turn took, and seconds of all CPUs together that they took."""

Turn = Callable[[], Spent | None]
"""Does a member's work once; None where the member is out, now or since before."""


@dataclass(frozen=True)
class Lap:
    """One member in one round.

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


def run_rounds(members: Mapping[str, Turn], rounds: int, tell: Tell) -> dict[str, list[Lap]]:
    """Give every member `rounds` turns.

    Parameters
    ----------
    members
        By name. One that fails on the way is out from there on, and has fewer laps than rounds.
    rounds
        How often each has its turn.
    tell
        Told of each turn when it is over.

    Returns
    -------
    dict of lists
        By name, the laps of each member, in order.
    """
    laps: dict[str, list[Lap]] = {name: [] for name in members}
    for number in range(rounds):
        for name in rotated(list(members), number):
            watch = LoadWatch.start()
            if spent := members[name]():
                lap = Lap(*spent, watch.foreign(spent[1]))
                laps[name].append(lap)
                tell(f"round {number + 1} of {rounds}: {name}, {lap.seconds:.2f} s")
    return laps


def encoding(handles: Sequence[Handle], calls: str) -> dict[str, Turn]:
    """Turns of loaded peers, by name: each encodes the texts of the file `calls` into its `vectors_of`."""
    return {handle.name: partial(_encode, handle, calls) for handle in handles}


def _encode(handle: Handle, calls: str) -> Spent | None:
    reply = handle.encode(calls, vectors_of(handle))
    return None if reply is None else (reply.wall, reply.cpu)


def vectors_of(handle: Handle) -> Path:
    """Where the vectors of a peer's last lap are: float32 [texts, dim], as .npy."""
    return handle.folder / f"{handle.name}.npy"
