"""The nodes of a refiner's graph for histories of one length, written one by one.

Knows the refiner's sums and ONNX; knows nothing of quantization or files. There is no mask and no padding; what only
training needs, a query and a profile after every event, is not computed; states lie as [time, batch, width], so that a
head of all histories is a matrix with a fixed stride and needs no transposition before its products.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor, nn

from engine_export.graph import CONTRIB, constant, floats
from engine_models.refiner import Block, Refiner

OPSET = 18
IR_VERSION = 10

# The layers of the Transformer; the decoder onto concepts and what follows it stay in float32, so that the readable
# profile is what was trained.
BLOCKS = "blocks."


class Drawing:
    """Nodes and constants of a refiner's graph as they come; each method that adds some returns its result's name.

    Parameters
    ----------
    refiner
        The trained one.
    """

    def __init__(self, refiner: Refiner) -> None:
        self._refiner = refiner
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: list[onnx.TensorProto] = []

    def model(self) -> onnx.ModelProto:
        """The whole graph; call it once."""
        shape = self._refiner.shape
        states = self._events()
        self._sizes()
        for number, block in enumerate(self._refiner.blocks):
            states = self._block(cast(Block, block), f"{BLOCKS}{number}", states)
        self._decode(self._norm(self._refiner.state_norm, "state_norm", states))
        make = onnx.helper.make_tensor_value_info
        inputs = [
            floats("vectors", "time", "batch", shape.dim),
            make("types", onnx.TensorProto.INT64, ["time", "batch"]),
            *(floats(name, "time", "batch") for name in ("values", "gaps")),
        ]
        outputs = [
            floats("query", "batch", shape.dim),
            floats("profile", "batch", shape.n_concepts),
            floats("concepts", "time", "batch", shape.n_concepts),
            floats("last_state", "batch", shape.dim),
        ]
        graph = onnx.helper.make_graph(self._nodes, "refiner", inputs, outputs, self._tensors)
        opsets = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(CONTRIB, 1)]
        return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="")

    def _events(self) -> str:
        """Item vectors with what is known of each event added: [time, batch, dim]."""
        refiner = self._refiner
        kind = self._op("Gather", [self._held("types.table", refiner.event_type.weight), "types"], "types.row")
        states = self._op("Add", ["vectors", kind], "events.types")
        # One product of both numbers and one sum: half the passes over all states that a sum for each would take.
        wide = [self._op("Unsqueeze", [name, self._ints("last", [-1])], f"{name}.wide") for name in ("values", "gaps")]
        numbers = self._op("Concat", wide, "events.numbers", axis=-1)
        weights = torch.cat([refiner.value.weight, refiner.gap.weight], 1).T
        known = self._op("MatMul", [numbers, self._held("numbers.weight", weights)], "events.known")
        return self._op("Add", [states, known], "events")

    def _sizes(self) -> None:
        """Sizes that attention needs: the length, and scores with and without the heads of a history apart."""
        n_heads = self._refiner.shape.n_heads
        self._op("Shape", ["types"], "length", start=0, end=1)
        self._op("Concat", [self._ints("size.all", [-1]), *["length"] * 2], "size.flat", axis=0)
        heads = [self._ints("size.all", [-1]), self._ints("size.heads", [n_heads])]
        self._op("Concat", [*heads, *["length"] * 2], "size.heads_apart", axis=0)
        self._op("Concat", ["length"] * 2, "size.square", axis=0)

    def _block(self, block: Block, name: str, states: str) -> str:
        normed = self._norm(block.attention_norm, f"{name}.attention_norm", states)
        states = self._op("Add", [states, self._attention(block, f"{name}.attention", normed)], f"{name}.attended")
        normed = self._norm(block.feed_norm, f"{name}.feed_norm", states)
        up, down = cast(nn.Linear, block.feed[0]), cast(nn.Linear, block.feed[3])
        wide = self._gelu(self._linear(f"{name}.feed.up", normed, up.weight, up.bias), f"{name}.feed.gelu")
        return self._op("Add", [states, self._linear(f"{name}.feed.down", wide, down.weight, down.bias)], f"{name}.fed")

    def _attention(self, block: Block, name: str, states: str) -> str:
        layer, shape = block.attention, self._refiner.shape
        width = shape.dim // shape.n_heads
        cut = self._ints("size.cut", [0, -1, width])
        parts = []
        for part, weight, bias in zip(
            ("queries", "keys", "values"), layer.inward.weight.chunk(3), layer.inward.bias.chunk(3), strict=True
        ):
            flat = self._linear(f"{name}.{part}", states, weight, bias)
            parts.append(self._op("Reshape", [flat, cut], f"{name}.{part}.cut"))
        turned = {"transBatchA": 1, "transBatchB": 1, "transB": 1, "alpha": width**-0.5}
        scores = self._op("FusedMatMul", parts[:2], f"{name}.scores", **turned)
        apart = self._op("Reshape", [scores, "size.heads_apart"], f"{name}.apart")
        table = self._held(f"{name}.distance", _biases(layer.distance))
        corner = [table, self._ints("size.zeros", [0, 0]), "size.square", self._ints("size.axes", [1, 2])]
        cut_table = self._op("Slice", corner, f"{name}.bias")
        biased = self._op("Add", [apart, cut_table], f"{name}.biased")
        flat = self._op("Reshape", [biased, "size.flat"], f"{name}.flat")
        weights = self._op("Softmax", [flat], f"{name}.weights", axis=-1)
        mixed = self._op("FusedMatMul", [weights, parts[2]], f"{name}.mixed", transBatchB=1)
        turned_back = self._op("Transpose", [mixed], f"{name}.turned", perm=[1, 0, 2])
        joined = self._op("Reshape", [turned_back, self._ints("size.joined", [0, -1, shape.dim])], f"{name}.joined")
        return self._linear(f"{name}.outward", joined, layer.outward.weight, layer.outward.bias)

    def _decode(self, states: str) -> None:
        refiner = self._refiner
        scaled = (refiner.centres @ refiner.decoder.weight).T * refiner.log_scale.exp()
        logits = self._op("MatMul", [states, self._held("centres.scaled", scaled)], "logits")
        self._op("Softmax", [logits], "concepts", axis=-1)
        self._op("ReduceMean", ["concepts", self._ints("first", [0])], "profile", keepdims=0)
        last = self._op("Gather", [states, self._ints("newest", -1)], "last_state", axis=0)
        pulled = self._held("centres.gain", refiner.centres @ refiner.gain.weight.T)
        pull = self._op("MatMul", ["profile", pulled], "pull")
        self._norm(refiner.query_norm, "query_norm", self._op("Add", [last, pull], "pulled"), "query")

    def _linear(self, name: str, states: str, weight: Tensor, bias: Tensor) -> str:
        product = self._op("MatMul", [states, self._held(f"{name}.weight", weight.T)], f"{name}.product", name=name)
        return self._op("Add", [product, self._held(f"{name}.bias", bias)], f"{name}.sum")

    def _norm(self, norm: nn.LayerNorm, name: str, states: str, output: str | None = None) -> str:
        inputs = [states, self._held(f"{name}.weight", norm.weight), self._held(f"{name}.bias", norm.bias)]
        return self._op("LayerNormalization", inputs, output or f"{name}.normed", axis=-1, epsilon=norm.eps)

    def _gelu(self, states: str, name: str) -> str:
        """``x / 2 (1 + erf(x / sqrt(2)))``, spelled as ONNX Runtime's fusion and `activations` look for it."""
        scaled = self._op("Div", [states, self._number("sqrt2", math.sqrt(2))], f"{name}.scaled")
        shifted = self._op("Add", [self._op("Erf", [scaled], f"{name}.erf"), self._number("one", 1)], f"{name}.shifted")
        weighted = self._op("Mul", [states, shifted], f"{name}.weighted")
        return self._op("Mul", [weighted, self._number("half", 0.5)], f"{name}.halved")

    def _op(self, kind: str, inputs: Sequence[str], output: str, *, name: str = "", **settings: Any) -> str:
        domain = CONTRIB if kind == "FusedMatMul" else ""
        node = onnx.helper.make_node(kind, list(inputs), [output], name=name or output, domain=domain, **settings)
        self._nodes.append(node)
        return output

    def _held(self, name: str, value: Tensor) -> str:
        return self._constant(name, value.detach().float().numpy())

    def _number(self, name: str, value: float) -> str:
        return self._constant(name, np.array(value, np.float32))

    def _ints(self, name: str, value: int | list[int]) -> str:
        return self._constant(name, np.array(value, np.int64))

    def _constant(self, name: str, value: npt.NDArray[Any]) -> str:
        if all(tensor.name != name for tensor in self._tensors):
            self._tensors.append(constant(name, value))
        return name


def _biases(distance: Tensor) -> Tensor:
    """What a query adds to its score of each key: [heads, longest, longest], minus infinity for keys after it."""
    steps = torch.arange(distance.shape[1])
    back = steps[:, None] - steps[None, :]
    return distance[:, back.clamp(min=0)].masked_fill(back < 0, float("-inf"))
