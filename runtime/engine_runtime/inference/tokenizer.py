"""Texts to token ids, ragged; padding is the business of batching.

Knows the `tokenizers` library; knows nothing of models. Truncation is set once at load and nothing is changed after,
so threads may share a tokenizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from engine_runtime.errors import ArtefactError
from engine_runtime.inference.words import WordPieces, by_words


@dataclass(frozen=True)
class Tokens:
    """Token ids of several texts, one after another.

    Attributes
    ----------
    ids
        int64 [sum of lengths].
    offsets
        int64 [texts + 1]: text i is ``ids[offsets[i]:offsets[i + 1]]``.
    """

    ids: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each text: int64 [texts]."""
        return np.diff(self.offsets)

    @classmethod
    def joined(cls, parts: Sequence[Tokens]) -> Tokens:
        """Tokens of the texts of all `parts`, one after another."""
        ids = np.concatenate([np.zeros(0, np.int64), *(part.ids for part in parts)])
        offsets = np.zeros(1 + sum(len(part.offsets) - 1 for part in parts), np.int64)
        np.cumsum(np.concatenate([np.zeros(0, np.int64), *(part.lengths for part in parts)]), out=offsets[1:])
        return cls(ids, offsets)


class Tokenizer:
    """A tokenizer that cuts at `max_tokens` and never pads.

    Parameters
    ----------
    path
        A ``tokenizer.json``; padding and truncation in it are ignored.
    max_tokens
        Longest result, special tokens included.

    Attributes
    ----------
    size
        Tokens that it knows.
    max_tokens
        As given.

    Raises
    ------
    ArtefactError
        The file cannot be read.
    """

    def __init__(self, path: Path, max_tokens: int) -> None:
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            raise ArtefactError(f"{path} is no tokenizer: {error}. Make the artefact again.") from error
        self.size = int(self._tokenizer.get_vocab_size())
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._pieces = WordPieces(self._tokenizer, max_tokens) if by_words(self._tokenizer) else None
        self._tokenizer.enable_truncation(max_tokens)
        self.max_tokens = max_tokens

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Tokenize `texts`; a lone surrogate becomes a question mark, for it stands for no character."""
        known = [self._pieces(text) if self._pieces else None for text in texts]
        others = [text for text, ids in zip(texts, known, strict=True) if ids is None]
        valid = [text if text.isascii() else text.encode("utf-8", "replace").decode() for text in others]
        encoded = (encoding.ids for encoding in self._tokenizer.encode_batch_fast(valid))
        rows = [next(encoded) if ids is None else ids for ids in known]
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        ids = np.fromiter(chain.from_iterable(rows), np.int64, count=int(offsets[-1]))
        return Tokens(ids, offsets)
