"""The comparison of whole nights: turns in rounds, and what is made of them.

Knows seats and the arrays that `night` describes; knows no contender's library, and nothing of how a result is shown.
Speed is compared within each round; the lists that were timed are the lists that are judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine_bench.rounds import Lap, Spent, Tell, run_rounds
from engine_bench.seat import Contender, Seat
from engine_bench.statistics import Spread, ratios, spread
from engine_models.metrics import Doubles, Estimate, estimate, per_user, places
from engine_runtime.errors import EngineError

OURS = "ours"
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Times:
    """Seconds of the clock and of CPU for all users asked for, a number a round."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]


@dataclass(frozen=True)
class Quality:
    """How the timed lists do: full ranking, seen items left out.

    Attributes
    ----------
    ndcg, recall
        NDCG@10 and Recall@10, over the users who were served.
    ndcg_less_ours
        Difference in NDCG@10 to ours, user by user, with its paired interval.
    """

    ndcg: Estimate
    recall: Estimate
    ndcg_less_ours: Estimate


@dataclass(frozen=True)
class Row:
    """What was measured of one contender; speed is not kept apart from quality.

    Attributes
    ----------
    name, settings
        Which, and how it ran, for people.
    laps
        All raw rounds.
    n_users, n_items
        Read. Where they are fewer than asked for, the times are scaled up to all.
    users
        From histories to what is written, items being known.
    whole
        The same with the items' texts encoded and indexed anew.
    ours_users, ours_whole
        How many times ours is as fast by the clock: ratios within the rounds.
    ours_users_cpu, ours_whole_cpu
        The same in CPU seconds.
    peak
        Most memory, in bytes.
    quality
        None where not all items were read.
    """

    name: str
    settings: str
    laps: tuple[Lap, ...]
    n_users: int
    n_items: int
    users: Times
    whole: Times
    ours_users: Spread
    ours_whole: Spread
    ours_users_cpu: Spread
    ours_whole_cpu: Spread
    peak: int
    quality: Quality | None


@dataclass
class Diary:
    """A seat, and the arrays that `night.timed` gave of each of its nights."""

    seat: Seat
    nights: list[dict[str, Any]]
    laps: Sequence[Lap] = ()

    def turn(self) -> Spent | None:
        """One night; None where the contender is out."""
        spent = self.seat.turn()
        if spent is not None:
            with np.load(self.seat.kept, allow_pickle=False) as kept:
                self.nights.append(dict(kept))
        return spent

    def seconds(self, n_users: int, n_items: int) -> tuple[Times, Times]:
        """Times of the users' half and of the whole, scaled to so many users and items."""
        last = self.nights[-1]
        users = np.array([night["users"] for night in self.nights]) * (n_users / len(last["rows"]))
        whole = users + np.array([night["items"] for night in self.nights]) * (n_items / len(last["known"]))
        return _times(users), _times(whole)


def compete(
    contenders: Mapping[str, Contender],
    folder: Path,
    threads: int,
    targets: npt.NDArray[np.int32],
    n_items: int,
    rounds: int,
    tell: Tell,
) -> tuple[list[Row], dict[str, str]]:
    """Give all contenders `rounds` nights.

    Parameters
    ----------
    contenders
        By name, `OURS` among them.
    folder
        What they are given is there.
    threads
        That each may keep busy.
    targets
        int32 [users]: what is asked for.
    n_items
        Of the catalogue.
    rounds
        How often each has its turn.
    tell
        Told what happens, a line at a time.

    Returns
    -------
    rows : list of Row
        Of those that ran to the end.
    left_out : dict
        Why the others did not, by name.

    Raises
    ------
    EngineError
        Ours does not run.
    """
    with ExitStack() as stack:
        seats = [stack.enter_context(Seat(name, each, folder, threads, tell)) for name, each in contenders.items()]
        diaries = {seat.name: Diary(seat, []) for seat in seats}
        laps = run_rounds({name: diary.turn for name, diary in diaries.items()}, rounds, tell)
    left_out = {seat.name: seat.failed for seat in seats if seat.failed is not None}
    if OURS in left_out:
        raise EngineError(f"{OURS} did not run: {left_out[OURS]}. Check the bundle with `engine inspect`.")
    ran = [diary for name, diary in diaries.items() if name not in left_out]
    return [_row(diary, laps[diary.seat.name], diaries[OURS], targets, n_items) for diary in ran], left_out


def _row(diary: Diary, laps: Sequence[Lap], ours: Diary, targets: npt.NDArray[np.int32], n_items: int) -> Row:
    last = diary.nights[-1]
    users, whole = diary.seconds(len(targets), n_items)
    our_users, our_whole = ours.seconds(len(targets), n_items)
    return Row(
        name=diary.seat.name,
        settings=diary.seat.settings,
        laps=tuple(laps),
        n_users=len(last["rows"]),
        n_items=len(last["known"]),
        users=users,
        whole=whole,
        ours_users=ratios(users.wall, our_users.wall),
        ours_whole=ratios(whole.wall, our_whole.wall),
        ours_users_cpu=ratios(users.cpu, our_users.cpu),
        ours_whole_cpu=ratios(whole.cpu, our_whole.cpu),
        peak=max(int(night["peak"]) for night in diary.nights),
        quality=_quality(last, ours.nights[-1], targets) if len(last["known"]) == n_items else None,
    )


def _quality(found: Mapping[str, Any], ours: Mapping[str, Any], targets: npt.NDArray[np.int32]) -> Quality:
    rows = found["rows"]
    theirs = _judged(found["lists"], targets[rows])
    same = _judged(ours["lists"][rows], targets[rows])
    return Quality(
        ndcg=estimate(theirs["ndcg@10"]),
        recall=estimate(theirs["recall@10"]),
        ndcg_less_ours=estimate(theirs["ndcg@10"] - same["ndcg@10"]),
    )


def _judged(lists: npt.NDArray[np.int32], targets: npt.NDArray[np.int32]) -> dict[str, Doubles]:
    return per_user(places(lists, targets))


def _times(seconds: npt.NDArray[np.float64]) -> Times:
    """From float64 [rounds, 2]."""
    return Times(tuple(seconds[:, 0].tolist()), tuple(seconds[:, 1].tolist()))


def rate(n_users: int, times: Times) -> Spread:
    """Users a second of the clock, over the rounds."""
    return spread([n_users / seconds for seconds in times.wall])
