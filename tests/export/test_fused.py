"""Fused graphs against plain ones."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import onnx
import pytest

from engine_export import encoder_graph as surgery
from engine_export import fused as fusing
from engine_export.fused import Fused, fuse
from engine_export.graph import CONTRIB, Floats, rebuilt
from engine_export.sources import EncoderSource
from engine_runtime.errors import InputError
from engine_runtime.inference.session import open_session
from tiny_models import make_source

SHAPES = [(1, 1), (1, 7), (3, 1), (3, 7), (2, 64), (1, 130), (3, 130)]

# What works out sizes, which ONNX Runtime would put on the CPU; Shape itself runs where its input lies.
SIZE_WORK = {"Expand", "Range", "Reshape", "ConstantOfShape", "Where", "Transpose"}


class Built(NamedTuple):
    """An encoder's graph, plain and fused."""

    source: EncoderSource
    plain: onnx.ModelProto
    fused: Fused


@pytest.fixture(scope="module", params=["bert", "mpnet", "xlm-roberta"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    source = make_source(tmp_path_factory.mktemp("kinds") / request.param, request.param)
    plain = surgery.encoder_graphs(source).padded
    return Built(source, plain, fuse(plain, source.max_tokens))


def run(model: onnx.ModelProto, ids: np.ndarray, mask: np.ndarray) -> Floats:
    """Vectors of tokens."""
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    names = {tensor.name for tensor in model.graph.input}
    found: Floats = open_session(model.SerializeToString()).run(["text"], {name: feed[name] for name in names})[0]
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("padding", ["none", "some", "nearly all"])
def test_fused_graph_equals_the_plain_one(built: Built, shape: tuple[int, int], padding: str) -> None:
    """At every size and with every padding on the right, fused and plain give the same vectors."""
    batch, length = shape
    generator = np.random.default_rng(batch * 1000 + length)
    drawn = generator.integers(1, length + 1, batch)
    kept = {"none": np.full(batch, length), "some": drawn, "nearly all": np.ones(batch)}[padding]
    mask = (np.arange(length) < kept[:, None]).astype(np.int64)
    ids = np.where(mask, generator.integers(4, 100, shape), built.source.pad_token)
    np.testing.assert_allclose(run(built.fused.model, ids, mask), run(built.plain, ids, mask), atol=2e-6)


def test_every_layer_is_fused(built: Built) -> None:
    """Attention, norms and activations of two layers are counted, and none of what they replace is left."""
    kinds = Counter(node.op_type for node in built.fused.model.graph.node)
    assert built.fused.counts == {"Attention": 2, "SkipLayerNormalization": 4, "BiasGelu": 2}
    assert {name: kinds[name] for name in built.fused.counts} == built.fused.counts
    assert kinds["MatMul"] == 6
    assert kinds["LayerNormalization"] == 1
    assert not {"Softmax", "Split", "Erf", *SIZE_WORK} & set(kinds)


def test_fused_graph_is_valid(built: Built) -> None:
    """The graph passes ONNX's checker, inputs and outputs as they were."""
    onnx.checker.check_model(built.fused.model)
    assert built.fused.model.graph.input == built.plain.graph.input
    assert built.fused.model.graph.output == built.plain.graph.output


def test_surgery_leaves_its_input_alone(built: Built) -> None:
    """The model that is given is not changed."""
    before = built.plain.SerializeToString()
    fuse(built.plain, built.source.max_tokens)
    assert built.plain.SerializeToString() == before


def test_relative_positions_are_added_in_the_fused_node(tmp_path_factory: pytest.TempPathFactory) -> None:
    """An encoder with a bias for each distance has it in each Attention node."""
    source = make_source(tmp_path_factory.mktemp("bias") / "mpnet", "mpnet")
    fused = fuse(surgery.encoder_graphs(source).padded, source.max_tokens).model
    assert {len(node.input) for node in fused.graph.node if node.op_type == "Attention"} == {6}


def test_activation_of_another_kind_is_refused(source: EncoderSource) -> None:
    """A function that only begins like GELU is counted short, and float32 is offered."""
    model = surgery.encoder_graphs(source).padded
    other = rebuilt(model, [changed for node in model.graph.node for changed in [_without_half(node)]])
    with pytest.raises(InputError, match=r"only 0 of 2 BiasGelu were found.*Export without fp16"):
        fuse(other, source.max_tokens)


def _without_half(node: onnx.NodeProto) -> onnx.NodeProto:
    changed = onnx.NodeProto()
    changed.CopyFrom(node)
    if node.op_type == "Mul" and "intermediate_act_fn" in node.name:
        changed.op_type = "Add"
    return changed


def test_norm_that_cannot_be_fused_is_refused(source: EncoderSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer fused norms than two a layer are refused with the count."""
    monkeypatch.setattr(fusing, "fuse_norms", lambda model: model)
    with pytest.raises(InputError, match="only 0 of 4 SkipLayerNormalization"):
        fuse(surgery.encoder_graphs(source).padded, source.max_tokens)


def test_scores_that_depend_on_tokens_are_refused(source: EncoderSource) -> None:
    """What is added to scores and depends on more than the mask and the sizes has no place in the fused node."""
    model = surgery.encoder_graphs(source).padded
    nodes = []
    for node in model.graph.node:
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        for place, name in enumerate(node.input):
            if name == "attention_mask" and node.op_type == "Unsqueeze" and not node.name.startswith("pool"):
                changed.input[place] = "input_ids"
        nodes.append(changed)
    with pytest.raises(InputError, match="adds to its scores what depends on the tokens"):
        fuse(rebuilt(model, nodes), source.max_tokens)


def test_fused_nodes_are_of_one_domain(built: Built) -> None:
    """The operators are those of ONNX Runtime, which has kernels for CPU and CUDA."""
    domains = {node.domain for node in built.fused.model.graph.node if node.op_type in built.fused.counts}
    assert domains == {CONTRIB}
