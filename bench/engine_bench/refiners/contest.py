"""The comparison of refiners: what each is given, their turns in rotated order, and what is made of them.

Knows processes and files; knows no contender's library, and nothing of how a result is shown. Each contender lives in a
process of its own on one thread, which is idle while it is not its turn. RePlay's may be of another Python.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path

import msgspec
import numpy as np

from engine_bench.rounds import Lap, Tell, run_rounds
from engine_bench.seat import Contender, Seat
from engine_bench.statistics import Spread, ratios, spread
from engine_export.compare import cosines
from engine_export.graph import Floats
from engine_runtime.artefacts.run import RefinerShape
from engine_runtime.data.inputs import ModelInputs
from engine_runtime.errors import EngineError

EXACT = "ours-fp32"


@dataclass(frozen=True)
class Given:
    """What all contenders are given, beside the arrays: sizes, and the folders of bundle and run."""

    shape: RefinerShape
    bundle: str
    run: str


@dataclass(frozen=True)
class Closeness:
    """Cosines to float32, over the users: least and mean, of the query and of the profile."""

    query_least: float
    query_mean: float
    profile_least: float
    profile_mean: float


@dataclass(frozen=True)
class Row:
    """What was measured of one contender; speed is not kept apart from quality.

    Attributes
    ----------
    name, settings
        Which, and how it ran, for people.
    laps
        All raw rounds.
    users, users_cpu
        A second of the clock, and a second of CPU.
    cpu
        CPU seconds of a round.
    ours
        How many times ours, the first, is as fast: ratios of CPU seconds within the rounds.
    cosine
        Of its answers to those of the float32 graph; None for another network.
    """

    name: str
    settings: str
    laps: tuple[Lap, ...]
    users: Spread
    users_cpu: Spread
    cpu: float
    ours: Spread
    cosine: Closeness | None


def compete(
    contenders: Mapping[str, Contender],
    given: Given,
    inputs: ModelInputs,
    vectors: Floats,
    rounds: int,
    tell: Tell,
) -> tuple[list[Row], dict[str, str]]:
    """Run all contenders `rounds` times.

    Parameters
    ----------
    contenders
        By name: ours first, and `EXACT` among them.
    given, inputs, vectors
        What all are given: events of some users, and float32 [items, dim].
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
        Ours or the float32 refiner does not run.
    """
    with tempfile.TemporaryDirectory(prefix="engine-bench-") as scratch, ExitStack() as stack:
        root = Path(scratch)
        (root / "given.json").write_bytes(msgspec.json.encode(given))
        arrays = {field.name: getattr(inputs, field.name) for field in fields(inputs)}
        np.savez(root / "inputs.npz", vectors=vectors, **arrays)
        seats = [stack.enter_context(Seat(name, each, root, 1, tell)) for name, each in contenders.items()]
        laps = run_rounds({seat.name: seat.turn for seat in seats}, rounds, tell)
        left_out = {seat.name: seat.failed for seat in seats if seat.failed is not None}
        ours = seats[0].name
        for needed in (ours, EXACT):
            if needed in left_out:
                raise EngineError(f"{needed} did not run: {left_out[needed]}. Check the bundle with `engine inspect`.")
        ran, n_users = [seat for seat in seats if seat.failed is None], len(inputs.offsets) - 1
        return [_row(seat, laps[seat.name], laps[ours], n_users, root) for seat in ran], left_out


def _row(seat: Seat, laps: list[Lap], ours: list[Lap], users: int, root: Path) -> Row:
    return Row(
        name=seat.name,
        settings=seat.settings,
        laps=tuple(laps),
        users=spread([users / lap.seconds for lap in laps]),
        users_cpu=spread([users / lap.cpu for lap in laps]),
        cpu=spread([lap.cpu for lap in laps]).median,
        ours=ratios([lap.cpu for lap in laps], [lap.cpu for lap in ours]),
        cosine=_closeness(seat.kept, root / f"{EXACT}.npz"),
    )


def _closeness(found: Path, exact: Path) -> Closeness | None:
    left, right = np.load(exact, allow_pickle=False), np.load(found, allow_pickle=False)
    if "query" not in right:
        return None
    query, profile = (cosines(left[name], right[name]) for name in ("query", "profile"))
    return Closeness(float(query.min()), float(query.mean()), float(profile.min()), float(profile.mean()))
