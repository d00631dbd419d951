"""Tokens as padded batches for peers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tiny
from engine_bench.peers.feeding import INPUTS, LibraryTokenizer, token_feed
from engine_runtime.inference.feed import encoder_feed
from engine_runtime.inference.tokenizer import Tokenizer, Tokens


def test_peers_are_fed_what_ours_is() -> None:
    """Names, types and numbers are those of the runtime's own batches."""
    tokens = Tokens(np.arange(1, 8), np.array([0, 2, 6, 7]))
    rows = np.array([2, 1])
    found = token_feed(tokens, rows, INPUTS, 9)
    expected = encoder_feed(tokens, rows, dict.fromkeys(found, np.int64), 9)
    assert found["input_ids"].tolist() == [[7, 9, 9, 9], [3, 4, 5, 6]]
    assert list(token_feed(tokens, rows, INPUTS[:1], 9)) == ["input_ids"]
    for name, values in expected.items():
        assert found[name].dtype == values.dtype
        assert np.array_equal(found[name], values)


def test_peers_read_the_same_tokens(tmp_path: Path) -> None:
    """The library by itself gives the ids that the runtime's tokenizer gives, cut at the same length."""
    path = tiny.write_tokenizer(tmp_path / "tokenizer.json")
    texts = ["red green", "", "nonsense", "red green blue small large"]
    left, right = LibraryTokenizer(path, 5)(texts), Tokenizer(path, 5)(texts)
    assert left.ids.tolist() == right.ids.tolist()
    assert left.offsets.tolist() == right.offsets.tolist()
    assert LibraryTokenizer(path, 5)([]).lengths.tolist() == []
