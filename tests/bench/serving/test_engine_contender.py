"""The engine as a contender of a whole night."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine_bench.serving.asked import Asked
from engine_bench.serving.engine_contender import load
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.data.stored import read_histories
from engine_runtime.serve.engine import Engine


def test_its_lists_are_what_it_recommends(folder: str, asked: Asked, bundle: Bundle) -> None:
    """Item numbers are those of the data set, in the order of the output, night after night."""
    settings, night = load(folder, "auto")
    found = night()
    engine = Engine.load(bundle.root, Path(folder) / "index", threads=1)
    histories = read_histories(asked.dataset)
    np.testing.assert_array_equal(found["lists"], engine.recommend(engine.profile(histories), 10).items)
    assert settings.startswith(f"{engine.precision}, 1 workers")
    assert (len(found["known"]), len(found["rows"])) == (60, 12)
    assert min(found["items"][0], found["users"][0]) > 0
    np.testing.assert_array_equal(night()["lists"], found["lists"])
