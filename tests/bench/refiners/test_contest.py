"""Contenders in processes of their own, and what is made of their turns."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from engine_bench.refiners.contest import EXACT, Closeness, Given, compete
from engine_bench.seat import Contender
from engine_runtime.artefacts.run import RefinerShape
from engine_runtime.data.inputs import ModelInputs
from engine_runtime.errors import EngineError

GIVEN = Given(RefinerShape(8, 8, 2, 1, 1, 5, 1, 2), "bundle", "run")
VECTORS = np.eye(3, dtype=np.float32)
FAKE = """
import os
import numpy as np

def load(folder, variant):
    print("loading")
    if variant == "broken":
        raise ValueError("no kernel")
    held = np.load(f"{folder}/inputs.npz")
    query = held["vectors"][held["items"]]
    if variant == "turned":
        query = -query
    turns = []
    def work():
        turns.append(variant)
        if variant == "dying" and len(turns) > 1:
            os._exit(7)
        return {} if variant == "other" else {"query": query, "profile": query}
    return variant, work
"""


@pytest.fixture
def fake(tmp_path: Path) -> str:
    path = tmp_path / "fake.py"
    path.write_text(FAKE)
    return str(path)


def asked(names: dict[str, str], file: str) -> dict[str, Contender]:
    """Contenders of the file by name and variant."""
    return {name: Contender(sys.executable, file, variant) for name, variant in names.items()}


@pytest.fixture
def inputs() -> ModelInputs:
    nothing = np.zeros(3, np.float32)
    return ModelInputs(np.arange(4), np.arange(3, dtype=np.int32), np.zeros(3, np.int8), nothing, nothing, np.arange(3))


def test_those_that_run_have_rows_and_the_others_a_reason(fake: str, inputs: ModelInputs) -> None:
    """A row holds laps, ratios to the first and closeness to float32; one that cannot be loaded says why."""
    names = {"ours": "same", EXACT: "exact", "turned": "turned", "other": "other", "broken": "broken"}
    told: list[str] = []
    rows, left_out = compete(asked(names, fake), GIVEN, inputs, VECTORS, 2, told.append)
    assert [row.name for row in rows] == ["ours", EXACT, "turned", "other"]
    assert left_out == {"broken": "the process ended with code 1: ValueError: no kernel"}
    assert all(len(row.laps) == 2 for row in rows)
    assert rows[0].ours.median == 1
    assert rows[0].cosine == Closeness(1, 1, 1, 1)
    assert rows[2].cosine == Closeness(-1, -1, -1, -1)
    assert rows[3].cosine is None
    assert "ours is ready" in told


def test_one_that_fails_on_the_way_is_out(fake: str, inputs: ModelInputs) -> None:
    """Its laps are not shown, for others have more; it is asked no more, and the rest goes on."""
    names = {"ours": "same", EXACT: "exact", "dying": "dying"}
    rows, left_out = compete(asked(names, fake), GIVEN, inputs, VECTORS, 3, lambda message: None)
    assert [row.name for row in rows] == ["ours", EXACT]
    assert left_out["dying"].startswith("the process ended with code 7")


def test_a_python_that_is_not_there_is_left_out(fake: str, inputs: ModelInputs) -> None:
    """The reason names it."""
    contenders = asked({"ours": "same", EXACT: "exact"}, fake) | {"other": Contender("no-such-python", fake, "other")}
    _, left_out = compete(contenders, GIVEN, inputs, VECTORS, 1, lambda message: None)
    assert "no-such-python cannot be started" in left_out["other"]


def test_without_ours_there_is_nothing_to_compare(fake: str, inputs: ModelInputs) -> None:
    """Where the first cannot be loaded, the comparison fails and says why."""
    with pytest.raises(EngineError, match="ours did not run: the process ended with code 1: ValueError: no kernel"):
        compete(asked({"ours": "broken"}, fake), GIVEN, inputs, VECTORS, 1, lambda message: None)
