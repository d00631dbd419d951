"""Contenders in processes of their own, and what is made of their turns."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from engine_bench.refiners.contest import EXACT, Contender, Given, compete
from engine_bench.refiners.report import COLUMNS, sheet
from engine_runtime.artefacts.run import RefinerShape
from engine_runtime.data.histories import ModelInputs
from engine_runtime.errors import EngineError

SHAPE = RefinerShape(8, 8, 2, 1, 1, 5, 1, 2)
FAKE = """
import numpy as np

def load(folder, variant):
    print("loading")
    if variant == "broken":
        raise ValueError("no kernel")
    held = np.load(f"{folder}/inputs.npz")
    query = held["vectors"][held["items"]]
    if variant == "turned":
        query = -query
    return variant, lambda: {} if variant == "other" else {"query": query, "profile": query}
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
    vectors = np.eye(3, dtype=np.float32)
    names = {"ours": "same", EXACT: "exact", "turned": "turned", "other": "other", "broken": "broken"}
    given = Given(SHAPE, "bundle", "run")
    rows, left_out = compete(asked(names, fake), given, inputs, vectors, 2, lambda message: None)
    assert [row.name for row in rows] == ["ours", EXACT, "turned", "other"]
    assert left_out == {"broken": "the process ended: ValueError: no kernel"}
    assert all(len(row.laps) == 2 for row in rows)
    assert rows[0].ours.median == 1
    assert rows[0].cosine == pytest.approx((1, 1, 1, 1))
    assert rows[2].cosine == pytest.approx((-1, -1, -1, -1))
    assert rows[3].cosine is None
    table = sheet(rows, 3, 3)
    assert {len(cells) for cells in table.rows} == {len(COLUMNS)}
    assert "another network" in table.rows[3]


def test_without_ours_there_is_nothing_to_compare(fake: str, inputs: ModelInputs) -> None:
    """Where the first cannot be loaded, the comparison fails and says why."""
    with pytest.raises(EngineError, match="ours did not run: the process ended: ValueError: no kernel"):
        compete(
            asked({"ours": "broken"}, fake),
            Given(SHAPE, "bundle", "run"),
            inputs,
            np.eye(3, dtype=np.float32),
            1,
            lambda message: None,
        )
