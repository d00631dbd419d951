"""The text encoder against the same sums in NumPy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny
from engine_runtime.errors import ArtefactError
from engine_runtime.inference import encoder as encoding
from engine_runtime.inference.encoder import TextEncoder

TEXTS = st.lists(st.lists(st.sampled_from([*tiny.WORDS, "nonsense"]), max_size=12).map(" ".join), max_size=40)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_tokenizer(tmp_path_factory.mktemp("encoder") / "tokenizer.json")


@pytest.fixture(scope="module")
def encoder(tokenizer: Path) -> TextEncoder:
    return TextEncoder(tiny.encoder_graph(), tokenizer, tiny.ENCODER, threads=2)


@given(texts=TEXTS, space=st.sampled_from(["text", "item"]))
@settings(max_examples=40)
def test_vectors_are_those_of_each_text_alone(encoder: TextEncoder, texts: list[str], space: str) -> None:
    """Vectors come in input order, and what else is in the batch changes none by 1e-5."""
    found = encoder.encode(texts, space)
    assert found.dtype == np.float32
    assert found.shape == (len(texts), {"text": tiny.SHAPE.text_dim, "item": tiny.SHAPE.dim}[space])
    assert np.allclose(found, tiny.encoded(texts, space), atol=1e-5)
    if texts:
        assert np.allclose(found[:1], encoder.encode(texts[:1], space), atol=1e-5)


def test_each_distinct_text_is_encoded_once(encoder: TextEncoder) -> None:
    """Repeated texts cost nothing: progress counts the distinct ones, and equal texts have equal vectors."""
    done: list[int] = []
    found = encoder.encode(["red", "blue", "red", "", "red"], advance=done.append)
    assert sum(done) == 3
    assert np.array_equal(found[0], found[2])
    assert np.array_equal(found[0], found[4])


def test_many_texts_go_through_in_windows(encoder: TextEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window that bounds memory leaves no seam in the result."""
    texts = [f"{first} {second}" for first in tiny.WORDS for second in tiny.WORDS]
    whole = encoder.encode(texts)
    monkeypatch.setattr(encoding, "WINDOW", 7)
    monkeypatch.setattr(encoder, "_budget", 9)
    assert np.allclose(encoder.encode(texts), whole, atol=1e-6)


def test_results_do_not_depend_on_the_threads(tokenizer: Path) -> None:
    """One worker and several give the same bytes."""
    texts = [" ".join(tiny.WORDS[: 1 + number % 6]) + f" x{number}" for number in range(300)]
    one, four = (TextEncoder(tiny.encoder_graph(), tokenizer, tiny.ENCODER, threads=n).encode(texts) for n in (1, 4))
    assert np.array_equal(one, four)


def test_token_types_are_fed_where_the_graph_asks_for_them(tokenizer: Path) -> None:
    """The graph gets the inputs that the info names, no more and no fewer."""
    info = dataclasses.replace(tiny.ENCODER, inputs=("input_ids",))
    with pytest.raises(Exception, match="attention_mask"):
        TextEncoder(tiny.encoder_graph(), tokenizer, info).encode(["red"])


def test_an_output_that_is_not_there(tokenizer: Path) -> None:
    """An encoder without a head says which outputs it has."""
    alone = TextEncoder(tiny.encoder_graph(item=False), tokenizer, tiny.ENCODER)
    with pytest.raises(ArtefactError, match="outputs text, not 'item'"):
        alone.encode(["red"], "item")


@pytest.mark.parametrize("spoil", [float("nan"), float("inf")])
def test_no_nan_leaves(tokenizer: Path, spoil: float) -> None:
    """A graph that gives a number that is not finite is refused."""
    with pytest.raises(ArtefactError, match="not finite"):
        TextEncoder(tiny.encoder_graph(spoil=spoil), tokenizer, tiny.ENCODER).encode(["red"])
