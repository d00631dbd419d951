"""The search for the int8 form that loses least."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

from engine_export import recipe
from engine_export.calibrate import BUDGET, Feed, vectors
from engine_export.encoder_graph import encoder_graphs
from engine_export.refiner_graph import is_block, random_feed, refiner_graph
from engine_export.sources import EncoderSource
from engine_models.refiner import Refiner
from engine_runtime.errors import ArtefactError, InputError
from engine_runtime.inference.batching import cut_equal
from engine_runtime.inference.feed import encoder_feed
from engine_runtime.inference.tokenizer import Tokenizer
from tiny_models import FAST, texts_of


@pytest.fixture(scope="module")
def exact(source: EncoderSource) -> onnx.ModelProto:
    return encoder_graphs(source).cpu


@pytest.fixture(scope="module")
def feeds(source: EncoderSource) -> list[Feed]:
    tokens = Tokenizer(source.folder / "tokenizer.json", 128)(texts_of(128))
    return [encoder_feed(tokens, rows, {"input_ids": np.int64}, 0) for rows in cut_equal(tokens.lengths, BUDGET)]


def test_every_layer_is_quantized_and_close(exact: onnx.ModelProto, feeds: list[Feed]) -> None:
    """All twelve layers of a two-block encoder become integer products, and its vectors hardly move."""
    made = recipe.quantize(exact, feeds, "text", FAST)
    left, right = vectors(exact, feeds, "text"), vectors(made.model, feeds, "text")
    assert len(made.layers) == 12
    assert (left * right).sum(axis=1).mean() > 0.995
    assert max(layer.error for layer in made.layers) < 0.1


def test_shift_and_division_cost_nothing(exact: onnx.ModelProto, feeds: list[Feed]) -> None:
    """Norms and values shift and divide, functions are in slices: no node does it, but for one product a residual."""
    made = recipe.quantize(exact, feeds, "text", FAST)
    names = [node.name for node in made.model.graph.node]
    assert not [name for name in names if name.endswith((".shifted", ".divided", ".slices"))]
    assert len([name for name in names if name.endswith(".restored")]) == 4
    assert [layer.alpha is None for layer in made.layers] == [False] * 5 + [True] + [False] * 5 + [True]
    assert "in slices" in made.recipe["functions"]


def test_slices_that_harm_are_left_out(
    exact: onnx.ModelProto, feeds: list[Feed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that is no sum of its slices stays as it is, and its loud channels are divided by a node."""
    monkeypatch.setattr(recipe, "FAITHFUL", 1.1)
    made = recipe.quantize(exact, feeds, "text", FAST)
    assert len([node for node in made.model.graph.node if node.name.endswith(".divided")]) == 2
    assert made.recipe["functions"] == "as they are"


def test_migration_helps_where_channels_are_loud(exact: onnx.ModelProto, feeds: list[Feed]) -> None:
    """With channels that drown the others, moving them into the weights beats leaving them."""

    def error(alpha: float) -> float:
        return sum(
            layer.error for layer in recipe.quantize(exact, feeds, "text", replace(FAST, alphas=(alpha,))).layers
        )

    assert error(0.6) < 0.9 * error(0.0)


def test_refiner_keeps_its_decoder(refiner: Refiner) -> None:
    """Of a refiner the blocks alone become int8, with every division before them folded into its norms and values."""
    graph = refiner_graph(refiner)
    histories = [random_feed(refiner.shape, 8, length, length) for length in (1, 9, 30)]
    made = recipe.quantize(graph, histories, "query", FAST, choose=is_block)
    divided = [node.name for node in made.model.graph.node if node.name.endswith(".divided")]
    assert [layer.name[:8] for layer in made.layers] == ["blocks.0"] * 6 + ["blocks.1"] * 6
    assert not any("norm" in name or "attention" in name for name in divided)


def test_layers_that_would_not_run_as_integers_are_named(exact: onnx.ModelProto, feeds: list[Feed]) -> None:
    """A layer that is no integer product in the graph that runs fails the export by name."""
    made = recipe.quantize(exact, feeds, "text", FAST)
    with pytest.raises(ArtefactError, match=r"1 of 13 .* MatMulIntegerToFloat: /no/such/layer"):
        recipe.check_products(made.model, [*(layer.name for layer in made.layers), "/no/such/layer"])


def test_nothing_to_quantize_is_said(exact: onnx.ModelProto, feeds: list[Feed]) -> None:
    """A graph without a layer that may be quantized is refused."""
    with pytest.raises(ArtefactError, match="no linear layer"):
        recipe.quantize(exact, feeds, "text", FAST, choose=lambda name: False)


def test_nothing_to_calibrate_on_is_said(exact: onnx.ModelProto) -> None:
    """Without calibration data there is no int8."""
    with pytest.raises(InputError, match="no calibration data"):
        recipe.quantize(exact, [], "text", FAST)


def test_a_rough_layer_stays_in_float32(exact: onnx.ModelProto, feeds: list[Feed]) -> None:
    """A layer that is off by more than allowed is left in float32 and named; the others become integers."""
    errors = sorted(layer.error for layer in recipe.quantize(exact, feeds, "text", FAST).layers)
    settings = replace(FAST, most_error=(errors[-1] + errors[-2]) / 2)
    made = recipe.quantize(exact, feeds, "text", settings)
    assert len(made.layers) == len(errors) - 1
    assert made.recipe["layers"] == str(len(errors) - 1)
    assert made.recipe["float32"].count("own error") == 1
    left, right = vectors(exact, feeds, "text"), vectors(made.model, feeds, "text")
    assert (left * right).sum(axis=1).min() > 0.99


def test_many_rough_layers_are_not_hidden(exact: onnx.ModelProto, feeds: list[Feed]) -> None:
    """Where most layers are off, they stay integers, so that the parity report can refuse them."""
    made = recipe.quantize(exact, feeds, "text", replace(FAST, most_error=0.0))
    assert made.recipe["float32"].startswith("no layer")
    assert len(made.layers) == 12
