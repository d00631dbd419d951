"""The tokenizer: ragged ids, cut and never padded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

import tiny
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.tokenizer import Tokenizer, Tokens


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")


def rows(tokens: Tokens) -> list[list[int]]:
    """Ids, a list a text."""
    return [
        tokens.ids[start:stop].tolist() for start, stop in zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)
    ]


def test_texts_become_ragged_ids(path: Path) -> None:
    """Each text has its own length, specials included; an unknown word has its own id."""
    tokens = Tokenizer(path, 8)(["red green", "", "nonsense"])
    assert rows(tokens) == [[2, 4, 5, 3], [2, 3], [2, 1, 3]]
    assert tokens.lengths.tolist() == [4, 2, 3]


def test_long_texts_are_cut(path: Path) -> None:
    """The longest result is the limit, and the end mark stays."""
    assert rows(Tokenizer(path, 4)(["red green blue small"])) == [[2, 4, 5, 3]]


def test_settings_in_the_file_are_ignored(path: Path, tmp_path: Path) -> None:
    """Padding and truncation that a file brings along change nothing."""
    other = tokenizers.Tokenizer.from_file(str(path))
    other.enable_padding(length=16)
    other.enable_truncation(3)
    other.save(str(tmp_path / "tokenizer.json"))
    assert rows(Tokenizer(tmp_path / "tokenizer.json", 8)(["red green", ""])) == [[2, 4, 5, 3], [2, 3]]


def test_no_texts(path: Path) -> None:
    """Of nothing comes nothing."""
    tokens = Tokenizer(path, 8)([])
    assert (tokens.ids.tolist(), tokens.offsets.tolist(), tokens.lengths.tolist()) == ([], [0], [])


def test_any_string_is_read(path: Path) -> None:
    """A lone surrogate, a null and a long run of one character are texts like others."""
    tokens = Tokenizer(path, 8)(["red \ud800 green", "\x00", "x" * 100_000, "红 red"])
    assert rows(tokens)[0] == [2, 4, 1, 5, 3]
    assert tokens.lengths.tolist()[1:] == [3, 3, 4]


def test_threads_share_a_tokenizer(path: Path) -> None:
    """Calls side by side give what calls one after another do."""
    tokenizer = Tokenizer(path, 8)
    texts = [[word] * 50 for word in tiny.WORDS]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(tokenizer, texts))
    assert [rows(tokens) for tokens in found] == [[[2, 4 + number, 3]] * 50 for number in range(len(tiny.WORDS))]


@pytest.mark.parametrize("content", [None, "", "{}", "\x00"])
def test_a_file_that_is_no_tokenizer(tmp_path: Path, content: str | None) -> None:
    """A damaged or missing tokenizer is an artefact's fault."""
    broken = tmp_path / "tokenizer.json"
    if content is not None:
        broken.write_text(content)
    with pytest.raises(ArtefactError, match=r"tokenizer\.json is no tokenizer"):
        Tokenizer(broken, 8)


@given(parts=st.lists(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=4), max_size=4))
def test_parts_are_joined(parts: list[list[list[int]]]) -> None:
    """Tokens of several chunks, joined, are those of all their texts."""

    def of(texts: list[list[int]]) -> Tokens:
        offsets = np.cumsum([0, *map(len, texts)])
        return Tokens(np.array([token for text in texts for token in text], np.int64), offsets)

    joined = Tokens.joined([of(texts) for texts in parts])
    whole = of([text for texts in parts for text in texts])
    assert joined.ids.tolist() == whole.ids.tolist()
    assert joined.offsets.tolist() == whole.offsets.tolist()
    assert joined.ids.dtype == joined.offsets.dtype == np.int64
