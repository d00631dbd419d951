"""The text encoder against the same sums in NumPy."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tiny
from engine_runtime.artefacts.encoder import KIND, TOKENIZER_FILE, EncoderArtefact, graph_file
from engine_runtime.artefacts.writing import drafting
from engine_runtime.errors import ArtefactError
from engine_runtime.inference import encoder as encoding
from engine_runtime.inference.cache import VectorCache
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.inference.windows import windows
from engine_runtime.inference.workers import Workers
from tiny import World

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
    assert found.shape == (len(texts), {"text": tiny.SHAPE.text_dim, "item": tiny.SHAPE.item_dim}[space])
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


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and chunks of a few texts, so that a short stream has many of them."""
    monkeypatch.setattr(encoding, "windows", partial(windows, first=2, most=7))
    monkeypatch.setattr(encoding, "CHUNK", 2)
    monkeypatch.setattr(encoding, "FEW", 3)


@pytest.mark.usefixtures("narrow")
@given(texts=TEXTS, budget=st.integers(1, 40))
# the fixture changes constants that no example changes back
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_stream_gives_the_vectors_in_order(tokenizer: Path, texts: list[str], budget: int) -> None:
    """Blocks put together are the vectors of the texts, wherever windows, chunks and batches are cut."""
    cut = TextEncoder(tiny.encoder_graph(), tokenizer, tiny.ENCODER, threads=2, budget=budget)
    blocks = list(cut.stream(iter(texts)))
    assert all(len(block) for block in blocks)
    found = np.concatenate([np.zeros((0, tiny.SHAPE.text_dim), np.float32), *blocks])
    assert np.allclose(found, tiny.encoded(texts), atol=1e-5)
    assert np.allclose(cut.encode(texts), found, atol=1e-5)


@pytest.mark.usefixtures("narrow")
def test_a_stream_reads_no_more_than_it_needs(encoder: TextEncoder) -> None:
    """An endless stream gives its vectors, having read a few windows ahead of them."""
    read: list[int] = []

    def endless() -> Iterator[str]:
        for number in itertools.count():
            read.append(number)
            yield tiny.WORDS[number % len(tiny.WORDS)]

    blocks = encoder.stream(endless())
    assert np.allclose(next(blocks), tiny.encoded(tiny.WORDS[:2]), atol=1e-5)
    assert len(read) == 2 + 7 + 7
    assert len(next(blocks)) == 7
    assert len(read) == 2 + 7 + 7 + 7


def test_a_stream_of_nothing_is_empty(encoder: TextEncoder) -> None:
    """No texts give no blocks, and an array without rows."""
    assert list(encoder.stream([])) == []
    assert encoder.encode([]).shape == (0, tiny.SHAPE.text_dim)


def test_a_few_texts_stay_in_the_calling_thread(encoder: TextEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """One text is not handed to another thread; many are."""
    threads: set[int] = set()
    run = encoder.run

    def seen(*arguments: Any) -> Any:
        threads.add(threading.get_ident())
        return run(*arguments)

    monkeypatch.setattr(encoder, "run", seen)
    encoder.encode(["red lamp"])
    assert threads == {threading.get_ident()}
    encoder.encode([f"red x{number}" for number in range(400)])
    assert len(threads) > 1


@pytest.mark.parametrize("count", [1, 400])
def test_errors_of_workers_come_out(encoder: TextEncoder, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """What goes wrong in a worker is raised where the vectors are asked for, as it is."""

    def fail(*arguments: Any) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(encoder, "run", fail)
    with pytest.raises(ZeroDivisionError):
        encoder.encode([f"x{number}" for number in range(count)])


def test_an_error_of_the_stream_itself_comes_out(encoder: TextEncoder) -> None:
    """Texts that cannot be read end the stream with their own error."""

    def broken() -> Iterator[str]:
        yield from ["red"] * 2000
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(encoder.stream(broken()))


def test_results_do_not_depend_on_the_threads(tokenizer: Path) -> None:
    """One worker and several give the same bytes."""
    texts = [" ".join(tiny.WORDS[: 1 + number % 6]) + f" x{number}" for number in range(300)]
    one, four = (TextEncoder(tiny.encoder_graph(), tokenizer, tiny.ENCODER, threads=n).encode(texts) for n in (1, 4))
    assert np.array_equal(one, four)


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


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each run of a session, from here on."""
    seen: list[int] = []
    own = Workers.session

    class Counting:
        def __init__(self, session: Any) -> None:
            self.get_inputs, self.get_outputs, self._run = session.get_inputs, session.get_outputs, session.run

        def run(self, outputs: list[str], feed: dict[str, Any]) -> Any:
            """Run, and count."""
            seen.append(len(feed["input_ids"]))
            return self._run(outputs, feed)

    monkeypatch.setattr(Workers, "session", lambda self: Counting(own(self)))
    return seen


@pytest.mark.parametrize("space", ["text", "item"])
def test_a_second_run_encodes_nothing(tmp_path: Path, tokenizer: Path, runs: list[int], space: str) -> None:
    """With a cache, known texts run no session, new ones alone are encoded, and vectors are the same bytes."""
    texts = [f"{first} {second}" for first in tiny.WORDS for second in tiny.WORDS]
    cache = VectorCache(tmp_path, "d" * 64, "fp32")

    def encoded(wanted: list[str]) -> tuple[npt.NDArray[np.float32], int]:
        done: list[int] = []
        fresh = TextEncoder(tiny.encoder_graph(), tokenizer, tiny.ENCODER, threads=2, cache=cache)
        runs.clear()
        found = fresh.encode(wanted, space, done.append)
        assert sum(done) == len(set(wanted))
        return found, sum(runs)

    first, rows = encoded(texts)
    assert rows == len(texts)
    again, rows = encoded([*texts[::-1], *texts[:5]])
    assert rows == 0
    assert np.array_equal(again[: len(texts)][::-1], first)
    more, rows = encoded([*texts[:7], "new one", *texts[7:20], "new two"])
    assert rows == 2
    assert np.array_equal(more[:7], first[:7])
    assert np.allclose(more[[7, 21]], tiny.encoded(["new one", "new two"], space), atol=1e-5)


def test_a_vector_that_is_not_finite_is_not_kept(tmp_path: Path, tokenizer: Path) -> None:
    """A run that fails for its numbers leaves none of them in the cache."""
    cache = VectorCache(tmp_path, "d" * 64, "fp32")
    with pytest.raises(ArtefactError, match="not finite"):
        TextEncoder(tiny.encoder_graph(spoil=float("nan")), tokenizer, tiny.ENCODER, cache=cache).encode(["red"])
    sound = TextEncoder(tiny.encoder_graph(), tokenizer, tiny.ENCODER, cache=cache).encode(["red"])
    assert np.allclose(sound, tiny.encoded(["red"]), atol=1e-5)


def test_encoders_and_bundles_are_opened_alike(tmp_path: Path, world: World) -> None:
    """An artefact gives graph, tokenizer, info and the identity that its vectors are kept under."""
    opened = TextEncoder.open(world.bundle, "fp32", threads=1, cache=tmp_path)
    assert np.allclose(opened.encode(["red"], "item"), tiny.encoded(["red"], "item"), atol=1e-5)
    assert VectorCache(tmp_path, world.bundle.manifest.digest, "fp32").path("item").is_file()
    with drafting(tmp_path / "encoder", KIND) as draft:
        tiny.write_tokenizer(draft.path / TOKENIZER_FILE)
        (draft.path / graph_file("fp32")).write_bytes(tiny.encoder_graph(item=False))
        draft.seal(tiny.ENCODER)
    alone = TextEncoder.open(EncoderArtefact.open(tmp_path / "encoder"), "fp32")
    assert np.allclose(alone.encode(["red"]), tiny.encoded(["red"]), atol=1e-5)
