"""What an encoder graph is fed: some of the tokenized texts, as padded arrays of the names and types that it takes.

Knows tokens and names of inputs; knows nothing of sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine_runtime.errors import ArtefactError
from engine_runtime.inference.batching import pad_rows
from engine_runtime.inference.tokenizer import Tokens

Ints = npt.NDArray[np.int64]

# A graph without it takes texts of one length at a time.
MASK = "attention_mask"

DTYPES: dict[str, npt.DTypeLike] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


def encoder_feed(
    tokens: Tokens, batch: Ints, inputs: Mapping[str, npt.DTypeLike], pad_token: int
) -> dict[str, npt.NDArray[Any]]:
    """What an encoder graph takes for some texts, padded to the longest among them.

    Parameters
    ----------
    tokens
        Of all texts.
    batch
        Numbers of those wanted, int64 [n].
    inputs
        Names and types of the graph's inputs.
    pad_token
        Id that fills the rows.

    Returns
    -------
    dict of arrays [n, longest]

    Raises
    ------
    ArtefactError
        The graph has an input that is none of ``input_ids``, ``attention_mask`` and ``token_type_ids``.
    """
    lengths = tokens.offsets[batch + 1] - tokens.offsets[batch]
    width = int(lengths.max(initial=1))
    feed: dict[str, npt.NDArray[Any]] = {}
    for name, dtype in inputs.items():
        if name == "input_ids":
            feed[name] = pad_rows(tokens.ids, tokens.offsets, batch, width, pad_token).astype(dtype, copy=False)
        elif name == MASK:
            feed[name] = (np.arange(width) < lengths[:, None]).astype(dtype)
        elif name == "token_type_ids":
            feed[name] = np.zeros((len(batch), width), dtype)
        else:
            raise ArtefactError(f"the encoder graph has the input '{name}', which no text gives. Export it again.")
    return feed
