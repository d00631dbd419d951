"""The int8 form of a refiner."""

from __future__ import annotations

from collections import Counter

import numpy as np

from engine_export.calibrate import vectors
from engine_export.compare import cosines
from engine_export.recipe import PRODUCT
from engine_export.refiner_graph import random_feed, refiner_graph
from engine_export.refiner_int8 import int8_refiner
from engine_models.refiner import Refiner
from tiny_models import FAST


def test_blocks_become_int8_and_cheap(refiner: Refiner) -> None:
    """Products of the blocks are integer ones, GELU is SiLU; the query stays."""
    exact = refiner_graph(refiner)
    feeds = [random_feed(refiner.shape, 8, length, seed=length) for length in (1, 3, 9)]
    made = int8_refiner(exact, feeds, FAST)
    kinds = Counter(node.op_type for node in made.model.graph.node)
    assert kinds[PRODUCT] == len(made.layers) == 12
    assert kinds["QuickGelu"] == 2
    assert kinds["Erf"] == 0
    assert kinds["Softmax"] == 3  # two of attention, and one over concepts
    assert made.recipe["gelu"] == "2 as a fitted SiLU"
    apart = cosines(vectors(exact, feeds, "query"), vectors(made.model, feeds, "query"))
    assert np.mean(apart) > 0.99
