"""Encoder graphs against PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from engine_export import encoder_graph as surgery
from engine_export.graph import Floats, Graph
from engine_export.sources import EncoderSource
from engine_runtime.errors import ArtefactError, InputError
from engine_runtime.inference.session import open_session
from tiny_models import make_source

SHAPES = [(1, 1), (1, 7), (3, 1), (3, 7), (1, 128), (3, 128)]


def tokens(source: EncoderSource, batch: int, length: int) -> dict[str, np.ndarray]:
    """Random tokens; row r of a batch has 2 r padded positions, as far as there is room."""
    generator = np.random.default_rng(batch * 1000 + length)
    ids = generator.integers(4, 100, (batch, length))
    mask = (np.arange(length) < np.maximum(length - 2 * np.arange(batch), 1)[:, None]).astype(np.int64)
    ids[mask == 0] = source.pad_token
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


def run(model: onnx.ModelProto, feed: dict[str, np.ndarray], output: str = "text") -> Floats:
    """Run a graph on what it takes of `feed`."""
    names = {tensor.name for tensor in model.graph.input}
    found: Floats = open_session(model.SerializeToString()).run(
        [output], {name: value for name, value in feed.items() if name in names}
    )[0]
    return found


@pytest.fixture(scope="module", params=["bert", "mpnet", "xlm-roberta"])
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[EncoderSource, onnx.ModelProto]:
    source = make_source(tmp_path_factory.mktemp("kinds") / request.param, request.param)
    return source, surgery.encoder_graphs(source).padded


@pytest.mark.parametrize("shape", SHAPES)
def test_graph_equals_torch(built: tuple[EncoderSource, onnx.ModelProto], shape: tuple[int, int]) -> None:
    """Pooled and merged, the graph gives PyTorch's vectors at every size, for three architectures."""
    source, model = built
    feed = tokens(source, *shape)
    encoder = surgery.load_encoder(source)
    expected = surgery.reference(encoder, "mean", feed["input_ids"], feed["attention_mask"])
    np.testing.assert_allclose(run(model, feed), expected, atol=2e-6)


def test_queries_keys_and_values_are_one_product(built: tuple[EncoderSource, onnx.ModelProto]) -> None:
    """In each of three architectures, Q, K and V of a layer become one product."""
    _, model = built
    widths = sorted(linear.weight.shape for linear in Graph(model).linears() if linear.weight.shape[0] >= 32)
    assert widths == [(32, 32), (32, 32), (32, 64), (32, 64), (32, 96), (32, 96), (64, 32), (64, 32)]


def test_attention_of_another_kind_stays_padded(source: EncoderSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where queries, keys and values are not one product, the CPU runs the graph with a mask."""
    monkeypatch.setattr(surgery, "merge_linears", lambda model: model)
    graphs = surgery.encoder_graphs(source)
    assert graphs.dense is None
    assert "attention_mask" in {tensor.name for tensor in graphs.cpu.graph.input}


def test_cls_pooling_equals_torch(source: EncoderSource) -> None:
    """CLS pooling takes the first state."""
    encoder = surgery.load_encoder(source)
    model = surgery.pool(surgery.trace(encoder), "cls", 32, padded=True)
    feed = tokens(source, 3, 7)
    expected = surgery.reference(encoder, "cls", feed["input_ids"], feed["attention_mask"])
    np.testing.assert_allclose(run(model, feed), expected, atol=2e-6)


def test_nothing_to_merge_leaves_the_graph_alone(source: EncoderSource) -> None:
    """Merging a merged graph changes nothing."""
    model = surgery.encoder_graphs(source).padded
    assert surgery.merge_linears(model).SerializeToString() == model.SerializeToString()


def test_surgery_leaves_its_input_alone(source: EncoderSource) -> None:
    """The model that is given is not changed."""
    model = surgery.encoder_graphs(source).padded
    before = model.SerializeToString()
    surgery.attach_head(model, *(np.zeros(shape, np.float32) for shape in ((32,), (32, 8), (4, 8), (4,))))
    assert model.SerializeToString() == before


def test_head_is_whitening_and_projection(source: EncoderSource) -> None:
    """The output `item` is the whitened, projected text vector, and `text` stays as it was."""
    generator = np.random.default_rng(3)
    mean, whitening = generator.standard_normal(32), generator.standard_normal((32, 8))
    weight, bias = generator.standard_normal((4, 8)), generator.standard_normal(4)
    model = surgery.encoder_graphs(source).padded
    feed = tokens(source, 3, 7)
    text = run(model, feed)
    headed = surgery.attach_head(model, *(part.astype(np.float32) for part in (mean, whitening, weight, bias)))
    np.testing.assert_array_equal(run(headed, feed), text)
    white = (text - mean) @ whitening
    direction = white / np.linalg.norm(white, axis=1, keepdims=True)
    wanted = np.concatenate((white @ weight.T + bias, direction), axis=1)
    np.testing.assert_allclose(run(headed, feed, "item"), wanted, atol=1e-5)


def test_unfaithful_graph_is_refused(source: EncoderSource) -> None:
    """A graph that pools in another way than its source is refused with the difference."""
    wrong = surgery.pool(surgery.trace(surgery.load_encoder(source)), "cls", 32, padded=True)
    with pytest.raises(ArtefactError, match="differs from PyTorch"):
        surgery.check_against_source(wrong, source)


def test_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """A configuration without a known kind of model is refused."""
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be loaded"):
        surgery.load_encoder(EncoderSource("x", tmp_path, "", "mean", 16, 0))
