"""A shallower, narrower copy of a text encoder: which layers and neurons of the teacher it keeps.

Knows PyTorch modules and token ids; knows nothing of texts, training or graphs. Layers are kept whole but for their
feed-forward parts, of which the neurons that weigh most on real texts stay. Embeddings are the teacher's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from engine_runtime.errors import InputError

NEURON_STEP = 64
"""Feed-forward widths are multiples of it: whole registers of an integer product."""


@dataclass(frozen=True)
class StudentShape:
    """What is kept of the teacher.

    Attributes
    ----------
    layers
        Numbers of the teacher's layers.
    feed_forward
        Neurons of each feed-forward part.
    """

    layers: tuple[int, ...]
    feed_forward: int


def student_shape(teacher: nn.Module, depth: float, width: float) -> StudentShape:
    """The shape of a student.

    Parameters
    ----------
    teacher
        The whole encoder.
    depth
        Share of its layers that is kept, spread evenly from the first to the last.
    width
        Share of its feed-forward neurons that is kept.

    Raises
    ------
    InputError
        The encoder is not made of layers with a plain feed-forward part.
    """
    layers = transformer_layers(teacher)
    neurons = feed_forward(layers[0])[0].out_features
    kept = np.linspace(0, len(layers) - 1, max(1, round(depth * len(layers)))).astype(int)
    return StudentShape(
        layers=tuple(kept.tolist()),
        feed_forward=min(neurons, NEURON_STEP * max(1, round(width * neurons / NEURON_STEP))),
    )


@torch.no_grad()
def initial_student(teacher: nn.Module, shape: StudentShape, batches: Iterable[tuple[Tensor, Tensor]]) -> nn.Module:
    """A copy of parts of the teacher.

    Parameters
    ----------
    teacher
        The whole encoder, in evaluation mode; not changed.
    shape
        What is kept.
    batches
        Token ids and mask, int64 [batch, tokens] each, of real texts: a neuron weighs the root of its squares there
        times the length of the row of weights that reads it.
    """
    weights = _neuron_weights(teacher, shape.layers, batches)
    student = copy.deepcopy(teacher)
    layers = transformer_layers(student)
    kept = [layers[number] for number in shape.layers]
    for layer, weight in zip(kept, weights, strict=True):
        _narrow(layer, weight.argsort(descending=True, stable=True)[: shape.feed_forward].sort().values)
    del layers[:]
    layers.extend(kept)
    config = cast(Any, student.config)  # of transformers, which has no annotations
    config.num_hidden_layers, config.intermediate_size = len(kept), shape.feed_forward
    return student


def transformer_layers(encoder: nn.Module) -> nn.ModuleList:
    """The list of an encoder's layers; raises `InputError` where there is no single one of the length it claims."""
    wanted = getattr(encoder.config, "num_hidden_layers", None)
    found = [module for module in encoder.modules() if isinstance(module, nn.ModuleList) and len(module) == wanted]
    if len(found) != 1 or getattr(encoder.config, "intermediate_size", None) is None:
        raise InputError(
            f"no student can be made of this kind of encoder: {len(found)} lists of {wanted} layers were found in it, "
            "where one is looked for. Export it without --distill."
        )
    return found[0]


def feed_forward(layer: nn.Module) -> tuple[nn.Linear, nn.Linear]:
    """The linear maps of a layer into its feed-forward neurons and out of them; raises `InputError`."""
    linears = [module for module in layer.modules() if isinstance(module, nn.Linear)]
    up = [linear for linear in linears if linear.out_features > linear.in_features]
    down = [linear for linear in linears if linear.out_features < linear.in_features]
    if len(up) != 1 or len(down) != 1 or up[0].out_features != down[0].in_features:
        raise InputError(
            "no student can be made of this kind of encoder: its layers have no plain feed-forward part. Export it "
            "without --distill."
        )
    return up[0], down[0]


def _neuron_weights(
    teacher: nn.Module, numbers: Iterable[int], batches: Iterable[tuple[Tensor, Tensor]]
) -> list[Tensor]:
    downs = [feed_forward(transformer_layers(teacher)[number])[1] for number in numbers]
    squares = [torch.zeros(down.in_features) for down in downs]
    kept: Tensor

    def watch(place: int) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def add(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            squares[place] += inputs[0][kept].square().sum(0)

        return add

    hooks = [down.register_forward_pre_hook(watch(place)) for place, down in enumerate(downs)]
    try:
        for ids, mask in batches:
            kept = mask.bool()
            teacher(input_ids=ids, attention_mask=mask)
    finally:
        for hook in hooks:
            hook.remove()
    return [square.sqrt() * down.weight.norm(dim=0) for square, down in zip(squares, downs, strict=True)]


def _narrow(layer: nn.Module, neurons: Tensor) -> None:
    up, down = feed_forward(layer)
    up.weight, up.bias = nn.Parameter(up.weight[neurons].clone()), nn.Parameter(up.bias[neurons].clone())
    down.weight = nn.Parameter(down.weight[:, neurons].clone())
    up.out_features = down.in_features = len(neurons)
