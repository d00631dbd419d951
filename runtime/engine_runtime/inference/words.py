"""WordPiece by memory: the tokens of a word are looked up, and only a word that is new goes to the tokenizer.

A WordPiece tokenizer with BERT's normalizer cuts plain ASCII at blanks and around every mark of punctuation, and then
treats each word by itself. Words repeat, so a catalogue in English takes a sixth of the time. A text with anything else
in it (other scripts, accents, control characters, the name of a special token) is left to the tokenizer.

Knows the `tokenizers` library; knows nothing of models.
"""

from __future__ import annotations

import re
from itertools import chain

import tokenizers
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import BertProcessing, TemplateProcessing

# A dictionary of so many words takes about 20 MB.
MOST_WORDS = 1 << 16

WORD = re.compile(r"[A-Za-z0-9]+|[!-/:-@\[-`{-~]")
UNUSUAL = r"[^\x20-\x7e\t\n\r]"


class Words(dict[str, tuple[int, ...]]):
    """Token ids of the words seen so far, without special tokens.

    Parameters
    ----------
    tokenizer
        Asked for words that are new.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer) -> None:
        super().__init__()
        self._normalize, self._cut = tokenizer.normalizer.normalize_str, tokenizer.model.tokenize

    def __missing__(self, word: str) -> tuple[int, ...]:
        ids = tuple(token.id for token in self._cut(self._normalize(word)))
        if len(self) < MOST_WORDS:
            self[word] = ids
        return ids


class WordPieces:
    """Tokenizes plain texts word by word, exactly as the tokenizer does.

    Parameters
    ----------
    tokenizer
        Neither pads nor cuts; one that `by_words` says yes to.
    max_tokens
        Longest result, special tokens included.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer, max_tokens: int) -> None:
        self._words = Words(tokenizer)
        names = [re.escape(token.content) for token in tokenizer.get_added_tokens_decoder().values()]
        self._unusual = re.compile("|".join([UNUSUAL, *names]))
        word = list(self._words["a"])
        whole = tokenizer.encode("a").ids
        start = whole.index(word[0])
        self._before, self._after = whole[:start], whole[start + len(word) :]
        self._most = max(0, max_tokens - len(self._before) - len(self._after))

    def __call__(self, text: str) -> list[int] | None:
        """Token ids of `text`, special tokens included; None where it is not plain."""
        if self._unusual.search(text):
            return None
        ids = chain.from_iterable(map(self._words.__getitem__, WORD.findall(text)))
        return [*self._before, *list(ids)[: self._most], *self._after]


def by_words(tokenizer: tokenizers.Tokenizer) -> bool:
    """Whether a tokenizer treats the words of plain ASCII one by one: WordPiece with BERT's rules, nothing added."""
    normalizer, added = tokenizer.normalizer, tokenizer.get_added_tokens_decoder().values()
    return (
        isinstance(tokenizer.model, WordPiece)
        and isinstance(normalizer, BertNormalizer)
        and normalizer.clean_text
        and isinstance(tokenizer.pre_tokenizer, BertPreTokenizer)
        and isinstance(tokenizer.post_processor, (BertProcessing, TemplateProcessing))
        and all(token.special and not token.normalized for token in added)
    )
