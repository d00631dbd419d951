"""Tokens, and tokens as a padded batch, for peers that bring neither tokenizer nor batching of their own.

Knows the `tokenizers` library, as a user of such a peer would call it: all texts at once, on all of its threads. The
runtime's own tokenizer and encoder are part of what is measured, and what they import would count as a peer's memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers

from engine_runtime.inference.batching import pad_rows
from engine_runtime.inference.tokenizer import Tokens

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class LibraryTokenizer:
    """The `tokenizers` library by itself.

    Parameters
    ----------
    path
        A ``tokenizer.json``.
    max_tokens
        Longest result, special tokens included.
    """

    def __init__(self, path: Path, max_tokens: int) -> None:
        self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Tokenize `texts`."""
        rows = [np.array(encoding.ids, np.int64) for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return Tokens(np.concatenate([np.zeros(0, np.int64), *rows]), offsets)


def token_feed(
    tokens: Tokens, rows: npt.NDArray[np.int64], inputs: Sequence[str], pad_token: int
) -> dict[str, npt.NDArray[Any]]:
    """Those of `INPUTS` that an encoder takes, for some texts padded to the longest: int64 [rows, tokens] each."""
    lengths = tokens.lengths[rows]
    width = int(lengths.max(initial=1))
    mask = (np.arange(width) < lengths[:, None]).astype(np.int64)
    ids = pad_rows(tokens.ids, tokens.offsets, rows, width, pad_token)
    feed = dict(zip(INPUTS, (ids, mask, np.zeros_like(mask)), strict=True))
    return {name: feed[name] for name in inputs}
