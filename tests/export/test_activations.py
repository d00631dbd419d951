"""GELU as a fitted SiLU."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest
import torch
from torch.nn.functional import gelu, silu

from engine_export.activations import find_gelus, fitted, with_silu
from engine_export.calibrate import Feed, vectors
from engine_export.compare import cosines
from engine_export.encoder_graph import encoder_graphs
from engine_export.graph import Floats, rebuilt
from engine_export.sources import EncoderSource

GENERATOR = np.random.default_rng(4)
FEEDS: list[Feed] = [{"input_ids": GENERATOR.integers(4, 100, (16, length))} for length in (3, 11)]


@pytest.fixture(scope="module")
def exact(source: EncoderSource) -> onnx.ModelProto:
    dense = encoder_graphs(source).dense
    assert dense is not None
    return dense


def error_of(seen: Floats, at: Floats) -> Floats:
    """Root of the squared error of a fit to `seen`, on the values `at`, for each unit."""
    fit = fitted(seen)
    near = torch.from_numpy(fit.c) * silu(torch.from_numpy(fit.a * at + fit.b)) + torch.from_numpy(fit.d)
    error: Floats = (near - gelu(torch.from_numpy(at))).square().mean(0).sqrt().numpy()
    return error


def test_every_gelu_becomes_a_silu(exact: onnx.ModelProto) -> None:
    """Both GELUs are found and replaced, and vectors hardly move."""
    made, count = with_silu(exact, FEEDS)
    kinds = Counter(node.op_type for node in made.graph.node)
    assert (count, kinds["Erf"], kinds["QuickGelu"]) == (2, 0, 2)
    assert cosines(vectors(exact, FEEDS, "text"), vectors(made, FEEDS, "text")).min() > 0.9995


@pytest.mark.parametrize("middle", [-2.0, -0.5, 0.0, 1.5])
def test_a_unit_is_fitted_where_it_lives(middle: float) -> None:
    """Around whatever value a unit lives, the fit is closer than one factor for all numbers."""
    seen = GENERATOR.normal(middle, 0.7, (4000, 3)).astype(np.float32)
    plain = 1 / 1.702 * silu(1.702 * torch.from_numpy(seen)) - gelu(torch.from_numpy(seen))
    assert (error_of(seen, seen) < 0.9 * plain.square().mean(0).sqrt().numpy()).all()


def test_a_unit_holds_elsewhere() -> None:
    """A unit that was only seen far below zero still behaves like GELU above it."""
    seen = GENERATOR.normal(-2.5, 0.3, (4000, 2)).astype(np.float32)
    above = np.linspace(0, 4, 50, dtype=np.float32)[:, None].repeat(2, axis=1)
    assert error_of(seen, above).max() < 0.25


def test_gelu_that_something_else_reads_stays(exact: onnx.ModelProto) -> None:
    """A GELU whose result leaves the graph is left alone."""
    result = find_gelus(exact)[0].result
    outputs = [*exact.graph.output, onnx.ValueInfoProto(name=result)]
    assert len(find_gelus(rebuilt(exact, exact.graph.node, outputs=outputs))) == 1


def test_surgery_leaves_its_input_alone(exact: onnx.ModelProto) -> None:
    """The model that is given is not changed."""
    before = exact.SerializeToString()
    with_silu(exact, FEEDS)
    assert exact.SerializeToString() == before
