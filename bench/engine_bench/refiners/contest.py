"""The comparison of refiners: what each is given, their turns in rotated order, and what is made of them.

Knows processes and files; knows no contender's library, and nothing of how a result is shown. Each contender lives in a
process of its own on one thread, which is idle while it is not its turn. RePlay's may be of another Python.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path

import msgspec
import numpy as np

from engine_bench.load import LoadWatch
from engine_bench.peers.handle import environment
from engine_bench.rounds import Lap, rotated
from engine_bench.statistics import Spread, ratios, spread
from engine_export.compare import cosines
from engine_export.graph import Floats
from engine_runtime.artefacts.run import RefinerShape
from engine_runtime.data.histories import ModelInputs
from engine_runtime.errors import EngineError

HERE = Path(__file__).parent
EXACT = "ours-fp32"


@dataclass(frozen=True)
class Given:
    """What all contenders are given, beside the arrays: sizes, and the folders of bundle and run."""

    shape: RefinerShape
    bundle: str
    run: str


@dataclass(frozen=True)
class Contender:
    """Who takes part: the Python that runs it, its file beside this one, and which of its variants."""

    python: str
    file: str
    variant: str


@dataclass(frozen=True)
class Row:
    """What was measured of one contender; speed is not kept apart from quality.

    Attributes
    ----------
    name, settings
        Which, and how it ran.
    laps
        All raw rounds.
    users
        A second of the clock, and a second of CPU.
    ours
        How many times ours, the first, is as fast: ratios of CPU seconds within the rounds.
    cosine
        Least and mean cosine of its queries, then of its profiles, to the float32 graph's; None for another network.
    """

    name: str
    settings: str
    laps: tuple[Lap, ...]
    users: Spread
    users_cpu: Spread
    ours: Spread
    cosine: tuple[float, float, float, float] | None


def compete(
    contenders: Mapping[str, Contender],
    given: Given,
    inputs: ModelInputs,
    vectors: Floats,
    rounds: int,
    tell: Callable[[str], None],
) -> tuple[list[Row], dict[str, str]]:
    """Run all contenders `rounds` times; gives the rows of those that ran, and why the others did not.

    Raises
    ------
    EngineError
        Ours, the first, does not run.
    """
    with tempfile.TemporaryDirectory(prefix="engine-bench-") as scratch, ExitStack() as stack:
        root = Path(scratch)
        (root / "given.json").write_bytes(msgspec.json.encode(given))
        arrays = {field.name: getattr(inputs, field.name) for field in fields(inputs)}
        np.savez(root / "inputs.npz", vectors=vectors, **arrays)
        seats, left_out = {}, {}
        for name, contender in contenders.items():
            try:
                seats[name] = stack.enter_context(_Seat(name, contender, root))
                tell(f"{name} is ready")
            except EngineError as error:
                left_out[name] = str(error)
        if (first := next(iter(contenders))) in left_out:
            raise EngineError(f"{first} did not run: {left_out[first]}")
        laps: dict[str, list[Lap]] = {name: [] for name in seats}
        for number in range(rounds):
            for seat in rotated(list(seats.values()), number):
                laps[seat.name].append(seat.turn())
                tell(f"round {number + 1} of {rounds}: {seat.name}, {laps[seat.name][-1].cpu:.2f} CPU s")
        rows = [_row(seat, laps[seat.name], laps[first], len(inputs.offsets) - 1, root) for seat in seats.values()]
    return rows, left_out


class _Seat:
    """One contender's process."""

    def __init__(self, name: str, contender: Contender, root: Path) -> None:
        self.name, self.kept, self.settings = name, root / f"{name}.npz", ""
        command = [
            contender.python,
            "-u",
            str(HERE / "turns.py"),
            str(HERE / contender.file),
            str(root),
            contender.variant,
        ]
        with (root / f"{name}.log").open("wb") as log:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(os.environ, 1),
                text=True,
            )
        self._log = root / f"{name}.log"

    def __enter__(self) -> _Seat:
        try:
            self.settings = str(self._answer()["settings"])
        except EngineError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._child.communicate()  # the end of its requests ends it

    def turn(self) -> Lap:
        """One turn; raises `EngineError` where the process ends."""
        watch = LoadWatch.start()
        if self._child.stdin is not None:
            self._child.stdin.write(f"{self.kept}\n")
            self._child.stdin.flush()
        spent = self._answer()
        return Lap((float(spent["wall"]),), float(spent["cpu"]), watch.foreign(float(spent["cpu"])))

    def _answer(self) -> dict[str, str | float]:
        line = self._child.stdout.readline() if self._child.stdout is not None else ""
        if not line:
            self._child.wait()  # what it has to say comes after its last answer
            said = self._log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
            raise EngineError(f"the process ended: {said[-1]}")
        return msgspec.json.decode(line, type=dict[str, str | float])


def _row(seat: _Seat, laps: list[Lap], ours: list[Lap], users: int, root: Path) -> Row:
    return Row(
        name=seat.name,
        settings=seat.settings,
        laps=tuple(laps),
        users=spread([users / lap.seconds for lap in laps]),
        users_cpu=spread([users / lap.cpu for lap in laps]),
        ours=ratios([lap.cpu for lap in laps], [lap.cpu for lap in ours]),
        cosine=_cosine(seat.kept, root / f"{EXACT}.npz"),
    )


def _cosine(found: Path, exact: Path) -> tuple[float, float, float, float] | None:
    left, right = np.load(exact, allow_pickle=False), np.load(found, allow_pickle=False)
    if "query" not in right:
        return None
    query, profile = (cosines(left[name], right[name]) for name in ("query", "profile"))
    return float(query.min()), float(query.mean()), float(profile.min()), float(profile.mean())
