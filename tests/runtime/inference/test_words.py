"""Tokens by memory, against the tokenizer itself."""

from __future__ import annotations

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

import engine_runtime.inference.words as module
from engine_runtime.inference.words import WordPieces, Words, by_words
from tiny_models import write_tokenizer

WORDS = ["Aurora", "face", "CREAM", "30", "nonsense", "q", " ", "\n", "\t", ",", "[", "]", "'", "x" * 101]
PIECES = st.sampled_from(WORDS)
ODD = st.sampled_from(["[CLS]", "[SEP]", "\u00e9", "\u4e2d", "\x0b", "\x7f", "\x00", "\u00a0"])
ASCII = st.one_of(st.lists(PIECES).map("".join), st.text(st.characters(max_codepoint=127)))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> tokenizers.Tokenizer:
    folder = tmp_path_factory.mktemp("words")
    write_tokenizer(folder)
    made = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.add_special_tokens(["[CLS]", "[SEP]"])
    return made


@given(text=ASCII, most=st.integers(2, 12))
def test_plain_text_gets_the_tokenizers_ids(tokenizer: tokenizers.Tokenizer, text: str, most: int) -> None:
    """Word by word and cut, ids are those of the tokenizer, whatever plain ASCII comes; the rest is left to it."""
    tokenizer.no_truncation()
    pieces = WordPieces(tokenizer, most)
    tokenizer.enable_truncation(most)
    found = pieces(text)
    assert found is None or found == tokenizer.encode(text).ids
    if text.isprintable() and "[CLS]" not in text and "[SEP]" not in text:
        assert found is not None


@given(st.lists(PIECES), ODD, st.lists(PIECES))
def test_odd_text_is_left_to_the_tokenizer(
    tokenizer: tokenizers.Tokenizer, before: list[str], odd: str, after: list[str]
) -> None:
    """Other scripts, control characters and names of special tokens are not for this."""
    tokenizer.no_truncation()
    assert WordPieces(tokenizer, 64)("".join([*before, odd, *after])) is None


def test_memory_is_bounded(tokenizer: tokenizers.Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words past the limit are tokenized and not kept."""
    tokenizer.no_truncation()
    monkeypatch.setattr(module, "MOST_WORDS", 2)
    words = Words(tokenizer)
    assert [words[word] for word in ("face", "cream", "q", "q")] == [
        tuple(tokenizer.encode(word, add_special_tokens=False).ids) for word in ("face", "cream", "q", "q")
    ]
    assert set(words) == {"face", "cream"}


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("normalizer", tokenizers.normalizers.Lowercase()),
        ("normalizer", tokenizers.normalizers.BertNormalizer(clean_text=False)),
        ("pre_tokenizer", tokenizers.pre_tokenizers.Whitespace()),
        ("model", tokenizers.models.WordLevel({"[UNK]": 0}, "[UNK]")),
    ],
)
def test_other_rules_are_noticed(tokenizer: tokenizers.Tokenizer, part: str, other: object) -> None:
    """Only WordPiece with BERT's own rules may be remembered word by word."""
    assert by_words(tokenizer)
    changed = tokenizers.Tokenizer.from_str(tokenizer.to_str())
    setattr(changed, part, other)
    assert not by_words(changed)


def test_added_words_are_noticed(tokenizer: tokenizers.Tokenizer) -> None:
    """A word that was added to the tokenizer is found inside others, so words are not apart any more."""
    changed = tokenizers.Tokenizer.from_str(tokenizer.to_str())
    changed.add_tokens(["fa"])
    assert not by_words(changed)
