"""sentence-transformers with hnswlib as contenders of a whole night; the library itself is a fake."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from engine_bench.serving import sentence_contender
from engine_bench.serving.asked import Asked
from engine_bench.serving.sentence_contender import joined, load, random_bert
from engine_export.sources import EncoderSource
from engine_runtime.data.histories import histories_from
from engine_runtime.data.schema import TEXT
from engine_runtime.data.stored import read_catalogue, read_histories

ASKED: list[list[str]] = []


class SentenceTransformer:
    """Counts letters, and remembers what it was asked."""

    max_seq_length = 16

    def __init__(self, folder: str, **options: Any) -> None:
        self.folder = folder

    def encode(self, texts: list[str], **options: Any) -> npt.NDArray[np.float64]:
        """Unit vectors, float64, to be made float32."""
        ASKED.append(texts)
        counts = np.array([[text.lower().count(letter) for letter in "abcdefghijklmnop"] for text in texts]) + 0.1
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True))


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("sentence_transformers")
    fake.SentenceTransformer = SentenceTransformer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", fake)
    ASKED.clear()


def best(vectors: npt.NDArray[np.float64], profiles: npt.NDArray[np.float64], seen: list[set[int]]) -> list[int]:
    """The nearest item of each user that is not seen, by exact search."""
    scores = profiles @ vectors.T
    for row, items in enumerate(seen):
        scores[row, list(items)] = -np.inf
    return list(scores.argmax(1))


def test_one_text_a_user_newest_first() -> None:
    """Texts of a user's items are joined, the newest at the front, where truncation spares it."""
    histories = histories_from([[0, 1], [2]])
    assert joined(["red", "green", "blue"], histories) == ["green. red", "blue"]


@pytest.mark.parametrize("variant", ["joined", "mean"])
def test_a_night(folder: str, asked: Asked, variant: str) -> None:
    """Items are encoded, users get the nearest that they have not seen, and profiles are written."""
    settings, night = load(folder, variant)
    found = night()
    histories, texts = read_histories(asked.dataset), read_catalogue(asked.dataset.items)[TEXT].to_pylist()
    vectors = SentenceTransformer("").encode(texts)
    seen = [set(histories.slice(row, row + 1).items.tolist()) for row in range(12)]
    if variant == "mean":
        profiles = np.array([vectors[histories.slice(row, row + 1).items].mean(0) for row in range(12)])
    else:
        profiles = SentenceTransformer("").encode(joined(texts, histories))
    assert found["lists"][:, 0].tolist() == best(vectors, profiles, seen)
    assert all(not seen[row] & set(items.tolist()) for row, items in enumerate(found["lists"]))
    assert (len(found["known"]), len(found["rows"])) == (60, 12)
    kept = np.load(Path(folder) / f"{variant}-profiles.npz")["profiles"]
    np.testing.assert_allclose(kept, profiles, atol=1e-6)
    assert "tiny-bert, at most 16 tokens" in settings


def test_a_large_encoder_reads_some(
    folder: str, asked: Asked, source: EncoderSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has random weights where it was given none, and its lists are of the items that it read."""
    monkeypatch.setattr(sentence_contender, "random_bert", lambda target, tokenizer: target)
    settings, night = load(folder, "large")
    found = night()
    assert "random weights" in settings
    assert (len(found["known"]), len(found["rows"]), len(found["lists"])) == (30, 5, 5)
    assert set(found["lists"].ravel().tolist()) <= {*found["known"].tolist(), -1}
    assert [len(texts) for texts in ASKED[1:]] == [30, 5]


def test_random_weights_are_those_of_a_seed(
    source: EncoderSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model folder that loads, with the tokenizer that it was given and a place for each token that BERT reads."""
    transformers: Any = pytest.importorskip("transformers")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    monkeypatch.setattr(sentence_contender, "BERT", sizes)
    folders = [random_bert(tmp_path / name, str(source.folder)) for name in ("one", "two")]
    first, second = (
        transformers.BertModel.from_pretrained(folder).embeddings.word_embeddings.weight for folder in folders
    )
    assert bool((first == second).all())
    words = transformers.AutoTokenizer.from_pretrained(folders[0])
    assert (len(words), words.model_max_length) == (len(first), sentence_contender.LONGEST)
