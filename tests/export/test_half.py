"""Half precision as far as the states, float32 from there on."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from engine_export import encoder_graph as surgery
from engine_export.fused import fuse
from engine_export.graph import Graph, constant, rebuilt
from engine_export.half import halve
from engine_export.sources import EncoderSource
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.session import open_session
from tiny_models import make_source


@pytest.fixture(scope="module", params=["bert", "mpnet", "xlm-roberta"])
def fused(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    source = make_source(tmp_path_factory.mktemp("kinds") / request.param, request.param)
    return fuse(surgery.encoder_graphs(source).padded, source.max_tokens).model


def test_half_is_close_to_float32(fused: onnx.ModelProto) -> None:
    """Run on the CPU, the halved graph gives nearly the vectors of the fused one, in float32."""
    generator = np.random.default_rng(0)
    mask = (np.arange(20) < np.array([20, 11, 3])[:, None]).astype(np.int64)
    ids = np.where(mask, generator.integers(4, 100, (3, 20)), 1)
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    feed = {tensor.name: feed[tensor.name] for tensor in fused.graph.input}
    left, right = (
        open_session(model.SerializeToString()).run(["text"], feed)[0]
        for model in (fused, halve(fused, surgery.STATES))
    )
    assert right.dtype == np.float32
    assert (left * right).sum(axis=1).min() > 0.9999
    assert not np.array_equal(left, right)


def test_weights_are_half_and_the_rest_is_not(fused: onnx.ModelProto) -> None:
    """Weights are float16, the file is half as large, pooling is float32, inputs are whole numbers."""
    halved = halve(fused, surgery.STATES)
    onnx.checker.check_model(halved)
    kinds = {tensor.data_type for tensor in halved.graph.initializer if len(tensor.dims) == 2}
    assert kinds == {TensorProto.FLOAT16}
    assert halved.ByteSize() < 0.65 * fused.ByteSize()
    graph = Graph(halved)
    assert graph.producers[surgery.STATES].op_type == "Cast"
    assert graph.producers["pool.masked"].input[0] == surgery.STATES
    assert halved.graph.input == fused.graph.input
    assert halved.graph.output == fused.graph.output


def test_halving_leaves_its_input_alone(fused: onnx.ModelProto) -> None:
    """The model that is given is not changed."""
    before = fused.SerializeToString()
    halve(fused, surgery.STATES)
    assert fused.SerializeToString() == before


def test_item_head_stays_in_float32(fused: onnx.ModelProto) -> None:
    """The head that a bundle adds is attached to the float32 vector."""
    parts = (np.zeros(32), np.ones((32, 8)), np.ones((4, 8)), np.zeros(4))
    headed = surgery.attach_head(halve(fused, surgery.STATES), *(part.astype(np.float32) for part in parts))
    onnx.checker.check_model(headed)
    weight = Graph(headed).constant("head.weight")
    assert weight is not None
    assert weight.dtype == np.float32


def test_weight_past_the_range_is_refused(source: EncoderSource) -> None:
    """A weight that float16 cannot hold is refused by name, not written as infinity."""
    model = fuse(surgery.encoder_graphs(source).padded, source.max_tokens).model
    name = "embeddings.LayerNorm.weight"
    loud = rebuilt(model, model.graph.node)
    (tensor,) = [tensor for tensor in loud.graph.initializer if tensor.name == name]
    tensor.CopyFrom(constant(name, np.full(32, 1e5), np.float32))
    with pytest.raises(ArtefactError, match=rf"{name} has values past 65504.*without fp16"):
        halve(loud, surgery.STATES)
