"""A PyTorch encoder as an ONNX graph from tokens to a unit vector, and the surgery on it.

Knows graphs; knows nothing of data sets, quantization or files of this engine. optimum traces the Transformer; pooling,
the merging of Q, K and V, and the item head are added here, node by node, so that they do not depend on a tracer.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from transformers import AutoModel, PreTrainedModel

from engine_export.graph import Floats, Graph, Linear, constant, floats, rebuilt
from engine_export.sources import EncoderSource
from engine_export.unpadded import unpadded
from engine_models.head import LEAST_NORM
from engine_runtime.errors import ArtefactError, InputError

OPSET = 18
STATES = "last_hidden_state"
TEXT = "text"
ITEM = "item"


def load_encoder(source: EncoderSource) -> PreTrainedModel:
    """The encoder in PyTorch: float32, evaluation mode, attention spelled out so that the trace is plain nodes."""
    try:
        model = AutoModel.from_pretrained(str(source.folder), attn_implementation="eager", dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{source.folder} cannot be loaded as an encoder: {error}") from error
    encoder: PreTrainedModel = model.eval()
    if encoder.config.is_encoder_decoder:
        raise InputError(
            f"{source.folder} holds an encoder with a decoder ({encoder.config.model_type}), which can be neither "
            "tuned, distilled nor exported. Choose an encoder alone."
        )
    return encoder


def trace(model: PreTrainedModel) -> onnx.ModelProto:
    """Trace an encoder with optimum, in float32 with all sizes free: tokens -> ``last_hidden_state``.

    Raises
    ------
    InputError
        optimum cannot export this kind of model.
    """
    from optimum.exporters.onnx import onnx_export_from_model

    with tempfile.TemporaryDirectory() as scratch, _silence():
        try:
            onnx_export_from_model(model, scratch, task="feature-extraction", opset=OPSET, do_validation=False)
        except (ValueError, KeyError, NotImplementedError, RuntimeError) as error:
            raise InputError(f"this kind of encoder ({model.config.model_type}) cannot be exported: {error}") from error
        graph = onnx.load(str(Path(scratch) / "model.onnx"))
    if STATES not in {output.name for output in graph.graph.output}:
        raise InputError(f"this kind of encoder ({model.config.model_type}) has no output {STATES}.")
    return graph


@dataclass(frozen=True)
class EncoderGraphs:
    """The float32 graphs of an encoder: int64 tokens [batch, tokens] -> ``text`` [batch, dim] of length 1.

    Attributes
    ----------
    padded
        Takes texts of any lengths, with a mask.
    dense
        Takes texts of one length, without a mask, and is faster on a CPU; None where its attention is not understood.
    """

    padded: onnx.ModelProto
    dense: onnx.ModelProto | None

    @property
    def cpu(self) -> onnx.ModelProto:
        """The graph that a CPU runs."""
        return self.padded if self.dense is None else self.dense


def encoder_graphs(source: EncoderSource) -> EncoderGraphs:
    """Trace an encoder, merge and pool it; see `check_against_source` for whether it came out right."""
    model = load_encoder(source)
    traced, dim = merge_linears(trace(model)), int(model.config.hidden_size)
    try:
        dense = pool(unpadded(traced, source.max_tokens), source.pooling, dim, padded=False)
    except InputError:
        dense = None
    return EncoderGraphs(pool(traced, source.pooling, dim, padded=True), dense)


def pool(model: onnx.ModelProto, pooling: str, dim: int, *, padded: bool) -> onnx.ModelProto:
    """Add pooling over the tokens, and scale the result to length 1.

    Parameters
    ----------
    model
        Has the output ``last_hidden_state``: if padded [batch, tokens, dim] and the input ``attention_mask``, which
        says what counts, else [tokens, batch, dim].
    pooling
        ``mean`` or ``cls``.
    dim
        Width of a state.
    padded
        Whether texts of several lengths share a batch.
    """
    make, axis = onnx.helper.make_node, int(padded)
    if pooling == "cls":
        nodes = [make("Gather", [STATES, "pool.first"], ["pool.pooled"], name="pool/Gather", axis=axis)]
        tensors = [constant("pool.first", 0, np.int64)]
    elif not padded:
        nodes = [make("ReduceSum", [STATES, "pool.tokens"], ["pool.pooled"], name="pool/ReduceSum", keepdims=0)]
        tensors = [constant("pool.tokens", [axis], np.int64)]
    else:
        # A sum of products with the mask: positions of padding add an exact zero.
        nodes = [
            make("Cast", ["attention_mask"], ["pool.mask"], name="pool/Cast", to=onnx.TensorProto.FLOAT),
            make("Unsqueeze", ["pool.mask", "pool.last"], ["pool.column"], name="pool/Unsqueeze"),
            make("Mul", [STATES, "pool.column"], ["pool.masked"], name="pool/Mul"),
            make(
                "ReduceSum",
                ["pool.masked", "pool.tokens"],
                ["pool.pooled"],
                name="pool/ReduceSum",
                keepdims=0,
            ),
        ]
        tensors = [constant("pool.last", [-1], np.int64), constant("pool.tokens", [axis], np.int64)]
    # The mean and the sum differ by a factor, which the normalization removes.
    nodes += [
        make("ReduceL2", ["pool.pooled", "pool.width"], ["pool.norm"], name="pool/ReduceL2", keepdims=1),
        make("Max", ["pool.norm", "pool.tiny"], ["pool.positive"], name="pool/Max"),
        make("Div", ["pool.pooled", "pool.positive"], [TEXT], name="pool/Div"),
    ]
    tensors += [constant("pool.width", [-1], np.int64), constant("pool.tiny", 1e-12, np.float32)]
    return rebuilt(model, [*model.graph.node, *nodes], tensors, [floats(TEXT, "batch", dim)])


def merge_linears(model: onnx.ModelProto) -> onnx.ModelProto:
    """Merge linear layers that read the same tensor into one product, and split its result.

    Q, K and V become one product: fewer quantizations of their common input, and a wider matrix. Where no two layers
    share an input, the graph stays as it is.
    """
    groups: dict[str, list[Linear]] = defaultdict(list)
    for linear in Graph(model).linears():
        if linear.bias is not None and len(linear.replaces) == 2:
            groups[linear.activation].append(linear)
    merged = {group[0].replaces[0]: group for group in groups.values() if len(group) > 1}
    gone = {name for group in merged.values() for linear in group for name in linear.replaces}
    nodes, tensors = [], []
    for node in model.graph.node:
        if node.output[0] in merged:
            new_nodes, new_tensors = _merged(merged[node.output[0]])
            nodes += new_nodes
            tensors += new_tensors
        elif node.output[0] not in gone:
            nodes.append(node)
    return rebuilt(model, nodes, tensors)


def _merged(group: list[Linear]) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    make = onnx.helper.make_node
    name = f"{group[0].name}.merged"
    weight, bias, sizes, product, summed = (f"{name}.{part}" for part in ("weight", "bias", "sizes", "product", "sum"))
    nodes = [
        make("MatMul", [group[0].activation, weight], [product], name=name),
        make("Add", [product, bias], [summed], name=f"{name}.Add"),
        make("Split", [summed, sizes], [linear.output for linear in group], name=f"{name}.Split", axis=-1),
    ]
    tensors = [
        constant(weight, np.concatenate([linear.weight for linear in group], axis=1)),
        constant(bias, np.concatenate([linear.bias for linear in group if linear.bias is not None])),
        constant(sizes, [linear.weight.shape[1] for linear in group], np.int64),
    ]
    return nodes, tensors


def attach_head(
    model: onnx.ModelProto, mean: Floats, whitening: Floats, weight: Floats, bias: Floats
) -> onnx.ModelProto:
    """Add the output ``item``: what `engine_models.head` makes of a text, the learned part and then the direction.

    Parameters
    ----------
    model
        An encoder graph, of any variant; the head stays in float32.
    mean, whitening
        float32 [text_dim], [text_dim, white_dim].
    weight, bias
        Of the linear map, as PyTorch keeps them: float32 [dim, white_dim], [dim].
    """
    tensors = [
        constant("head.whitening", whitening),
        constant("head.centre", -(mean.astype(np.float64) @ whitening).astype(np.float32)),
        constant("head.weight", np.ascontiguousarray(weight.T)),
        constant("head.bias", bias),
        constant("head.least", np.array(LEAST_NORM, np.float32)),
        constant("head.axes", np.array([1], np.int64)),
    ]
    make = onnx.helper.make_node
    nodes = [
        make("Gemm", [TEXT, "head.whitening", "head.centre"], ["head.white"], name="head/Whiten"),
        make("Gemm", ["head.white", "head.weight", "head.bias"], ["head.learned"], name="head/Gemm"),
        make("Mul", ["head.white", "head.white"], ["head.squares"], name="head/Square"),
        make("ReduceSum", ["head.squares", "head.axes"], ["head.power"], name="head/Power", keepdims=1),
        make("Sqrt", ["head.power"], ["head.norm"], name="head/Norm"),
        make("Max", ["head.norm", "head.least"], ["head.length"], name="head/Length"),
        make("Div", ["head.white", "head.length"], ["head.direction"], name="head/Direction"),
        make("Concat", ["head.learned", "head.direction"], [ITEM], name="head/Concat", axis=1),
    ]
    outputs = [*model.graph.output, floats(ITEM, "batch", len(bias) + whitening.shape[1])]
    return rebuilt(model, [*model.graph.node, *nodes], tensors, outputs)


def check_against_source(model: onnx.ModelProto, source: EncoderSource, atol: float = 1e-4) -> None:
    """Compare the float32 graph with PyTorch at sizes that were not traced.

    Raises
    ------
    ArtefactError
        They differ by more than `atol`.
    """
    from engine_runtime.inference.session import open_session

    session = open_session(model.SerializeToString())
    encoder, inputs = load_encoder(source), [tensor.name for tensor in model.graph.input]
    generator = np.random.default_rng(0)
    for batch, length in ((1, 1), (3, 7), (2, source.max_tokens)):
        ids = generator.integers(5, encoder.config.vocab_size, (batch, length))
        mask = np.ones_like(ids)
        if "attention_mask" in inputs:
            mask[-1, (length + 1) // 2 :] = 0
        ids[mask == 0] = source.pad_token
        expected = reference(encoder, source.pooling, ids, mask)
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        found = session.run([TEXT], {name: feed[name] for name in inputs})[0]
        worst = float(np.abs(found - expected).max())
        if not worst <= atol:
            raise ArtefactError(
                f"the exported graph of {source.name} differs from PyTorch by {worst:.1e} at batch {batch}, length "
                f"{length}; {atol:.0e} is allowed. This kind of encoder is not exported faithfully; choose another."
            )


@torch.inference_mode()
def reference(encoder: PreTrainedModel, pooling: str, ids: np.ndarray, mask: np.ndarray) -> Floats:
    """What PyTorch gives for tokens: float32 [batch, dim] of length 1."""
    weights = torch.from_numpy(mask)
    states = encoder(input_ids=torch.from_numpy(ids), attention_mask=weights).last_hidden_state
    pooled = states[:, 0] if pooling == "cls" else (states * weights[..., None]).sum(1)
    vectors: Floats = torch.nn.functional.normalize(pooled, dim=-1).numpy()
    return vectors


@contextmanager
def _silence() -> Iterator[None]:
    """Keep a tracer's remarks from people who cannot act on them."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
