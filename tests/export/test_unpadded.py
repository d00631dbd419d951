"""Graphs for batches of one length, against PyTorch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from engine_export import encoder_graph as surgery
from engine_export.graph import Floats, constant, rebuilt
from engine_export.sources import EncoderSource
from engine_export.unpadded import unpadded
from engine_runtime.errors import InputError
from engine_runtime.inference.session import open_session
from tiny_models import make_source

SHAPES = [(1, 1), (1, 7), (3, 1), (3, 7), (1, 128), (3, 128)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["bert", "mpnet", "xlm-roberta"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_dense_graph_equals_torch(kind: str, shape: tuple[int, int], pooling: str, tmp_path: Path) -> None:
    """Without mask and padding, texts of one length get PyTorch's vectors at every size, pooled either way."""
    source = replace(make_source(tmp_path / kind, kind), pooling=pooling)
    dense = surgery.encoder_graphs(source).dense
    assert dense is not None
    assert [tensor.name for tensor in dense.graph.input] == ["input_ids"]
    ids = np.random.default_rng(7).integers(4, 100, shape)
    expected = surgery.reference(surgery.load_encoder(source), pooling, ids, np.ones_like(ids))
    np.testing.assert_allclose(run(dense, ids), expected, atol=2e-6)


def run(model: onnx.ModelProto, ids: np.ndarray) -> Floats:
    """Pooled vectors of tokens."""
    found: Floats = open_session(model.SerializeToString()).run(["text"], {"input_ids": ids})[0]
    return found


def test_mask_that_is_read_elsewhere_is_refused(source: EncoderSource) -> None:
    """An encoder that does more with the mask than attention does cannot do without it."""
    traced = surgery.merge_linears(surgery.trace(surgery.load_encoder(source)))
    make = onnx.helper.make_node
    cast = make("Cast", ["attention_mask"], ["extra.mask"], to=onnx.TensorProto.FLOAT)
    column = make("Unsqueeze", ["extra.mask", "extra.last"], ["extra.column"])
    nodes = [*traced.graph.node, cast, column, make("Mul", [surgery.STATES, "extra.column"], ["extra.states"])]
    tensors, outputs = [constant("extra.last", [-1], np.int64)], [onnx.ValueInfoProto(name="extra.states")]
    with pytest.raises(InputError, match="needs attention_mask elsewhere than in attention"):
        unpadded(rebuilt(traced, nodes, tensors, outputs), source.max_tokens)


def test_surgery_leaves_its_input_alone(source: EncoderSource) -> None:
    """The model that is given is not changed."""
    traced = surgery.merge_linears(surgery.trace(surgery.load_encoder(source)))
    before = traced.SerializeToString()
    unpadded(traced, source.max_tokens)
    assert traced.SerializeToString() == before
