"""The nodes of a refiner's graph."""

from __future__ import annotations

import onnx
import torch

from engine_export.refiner_nodes import Drawing, _biases
from engine_models.refiner import Refiner


def test_the_graph_has_only_what_serving_needs(refiner: Refiner) -> None:
    """There is no mask, and what only training reads is not computed: one norm of the query, no running sums."""
    model = Drawing(refiner).model()
    onnx.checker.check_model(model)
    assert [given.name for given in model.graph.input] == ["vectors", "types", "values", "gaps"]
    kinds = {node.op_type for node in model.graph.node}
    assert not kinds & {"CumSum", "Where", "Range"}


def test_biases_go_by_distance() -> None:
    """A query adds to a key's score what stands at their distance, and never looks at what comes after it."""
    found = _biases(torch.tensor([[1.0, 2.0, 3.0]]))
    never = float("-inf")
    assert found.tolist() == [[[1, never, never], [2, 1, never], [3, 2, 1]]]
