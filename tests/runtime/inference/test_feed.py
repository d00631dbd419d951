"""What an encoder graph is fed."""

from __future__ import annotations

import numpy as np
import pytest

from engine_runtime.errors import ArtefactError
from engine_runtime.inference.feed import encoder_feed
from engine_runtime.inference.tokenizer import Tokens


def test_the_graph_says_what_it_is_fed() -> None:
    """Names and types are those of the graph's inputs, padded to the longest row."""
    tokens = Tokens(np.array([2, 4, 3, 2, 3]), np.array([0, 3, 5]))
    feed = encoder_feed(tokens, np.array([1, 0]), {"input_ids": np.int32, "attention_mask": np.int64}, 9)
    assert list(feed) == ["input_ids", "attention_mask"]
    assert feed["input_ids"].dtype == np.int32
    assert feed["attention_mask"].dtype == np.int64
    assert feed["input_ids"].tolist() == [[2, 3, 9], [2, 4, 3]]
    assert feed["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]
    zeros = encoder_feed(tokens, np.array([0]), {"token_type_ids": np.int32}, 9)["token_type_ids"]
    assert zeros.dtype == np.int32
    assert zeros.tolist() == [[0, 0, 0]]
    with pytest.raises(ArtefactError, match="has the input 'pixels'"):
        encoder_feed(tokens, np.array([0]), {"pixels": np.int64}, 9)
