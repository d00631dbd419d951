"""Softmax without its maximum."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest

from engine_export import exponentials
from engine_export.calibrate import Feed, vectors
from engine_export.encoder_graph import encoder_graphs
from engine_export.exponentials import without_maximum
from engine_export.graph import rebuilt
from engine_export.sources import EncoderSource

GENERATOR = np.random.default_rng(2)
FEEDS: list[Feed] = [{"input_ids": GENERATOR.integers(4, 100, (8, length))} for length in (1, 5, 19)]


@pytest.fixture(scope="module")
def exact(source: EncoderSource) -> onnx.ModelProto:
    dense = encoder_graphs(source).dense
    assert dense is not None
    return dense


def test_vectors_stay(exact: onnx.ModelProto) -> None:
    """Every Softmax is spelled out, and vectors move in the last digits alone."""
    made, count = without_maximum(exact, FEEDS)
    kinds = Counter(node.op_type for node in made.graph.node)
    assert (count, kinds["Softmax"], kinds["Exp"]) == (2, 0, 2)
    np.testing.assert_allclose(vectors(made, FEEDS, "text"), vectors(exact, FEEDS, "text"), atol=1e-6)


def test_great_scores_keep_softmax(exact: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where scores were seen to be great, Softmax stays as it is."""
    monkeypatch.setattr(exponentials, "MOST_SCORE", 0.0)
    made, count = without_maximum(exact, FEEDS)
    assert count == 0
    assert [node.op_type for node in made.graph.node] == [node.op_type for node in exact.graph.node]


def test_one_far_feed_is_enough_to_keep_it(exact: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch) -> None:
    """The greatest score over all feeds counts, on either side of 0."""
    found = exponentials._furthest(exact, _scores(exact), FEEDS)
    each = [exponentials._furthest(exact, _scores(exact), [feed]) for feed in FEEDS]
    assert found == np.max(each, axis=0).tolist()
    monkeypatch.setattr(exponentials, "MOST_SCORE", min(found))
    assert without_maximum(exact, FEEDS)[1] == 1


def test_softmax_that_leaves_the_graph_stays(exact: onnx.ModelProto) -> None:
    """Weights that something else reads too are left as Softmax gives them."""
    weights = next(node.output[0] for node in exact.graph.node if node.op_type == "Softmax")
    outputs = [*exact.graph.output, onnx.ValueInfoProto(name=weights)]
    assert without_maximum(rebuilt(exact, exact.graph.node, outputs=outputs), FEEDS)[1] == 1


def test_rows_that_begin_elsewhere_keep_softmax(exact: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the heads of a text do not fill whole 16 bytes, sums would depend on the batch: Softmax stays."""
    assert exponentials._heads(exact, _scores(exact), FEEDS[:1]) == [4, 4]
    monkeypatch.setattr(exponentials, "_heads", lambda *given: [2, 4])
    assert without_maximum(exact, FEEDS)[1] == 1


def _scores(model: onnx.ModelProto) -> list[str]:
    return [node.input[0] for node in model.graph.node if node.op_type == "Softmax"]
