"""Tokens as a padded batch, for peers that bring no batching of their own.

Knows tokens alone. The runtime's encoder has the like; it is not used here, since what it imports would count as a
peer's memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine_runtime.inference.batching import pad_rows
from engine_runtime.inference.tokenizer import Tokens

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


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
