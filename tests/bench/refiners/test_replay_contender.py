"""RePlay as a contender, with a model in its place: RePlay lives in an environment of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine_bench.refiners import replay_contender

SHAPE = {"max_events": 3}


class Compiled:
    """Scores nothing, and remembers what came."""

    def __init__(self, size: int) -> None:
        self.size, self.seen = size, []  # type: ignore[var-annotated]

    def predict(self, batch: dict[str, Any]) -> Any:
        """Zeros."""
        import torch

        self.seen.append((batch["feature_tensor"]["item_id"].numpy(), batch["padding_mask"].numpy()))
        return torch.zeros(len(batch["padding_mask"]), 20)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Compiled]:
    """Seventeen users in files, and the list of models that were compiled."""
    made: list[Compiled] = []

    def compile_one(model: Any, mode: str, size: int) -> Compiled:
        made.append(Compiled(size))
        return made[-1]

    monkeypatch.setattr(replay_contender, "_model", lambda shape, n_items: None)
    monkeypatch.setattr(replay_contender, "_compiled", compile_one)
    (tmp_path / "given.json").write_text(json.dumps({"shape": SHAPE}))
    items = np.arange(1, 1 + 17 * 2, dtype=np.int32)
    np.savez(tmp_path / "inputs.npz", vectors=np.zeros((20, 4)), items=items, offsets=np.arange(0, 35, 2))
    return made


@pytest.mark.parametrize("variant", ["scores", "top10"])
def test_every_user_is_scored_in_the_fastest_mode(compiled: list[Compiled], tmp_path: Path, variant: str) -> None:
    """Modes with more users than there are are not tried; histories end at the right, padding is masked."""
    settings, work = replay_contender.load(str(tmp_path), variant)
    assert variant in settings
    assert {each.size for each in compiled} <= {1, 16}
    assert work() == {}
    ids, mask = compiled[-1].seen[0]
    assert ids[0].tolist() == [0, 1, 2]
    assert mask[0].tolist() == [False, True, True]
    last = {int(row[-1]) for rows, _ in compiled[-1].seen for row in rows}
    assert last == set(range(2, 35, 2))
