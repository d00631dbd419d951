"""Tiny encoders with random weights, a tokenizer that fits them, and product texts for them to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import torch
import transformers

from engine_export.recipe import QuantizeSettings
from engine_export.sources import EncoderSource, describe

BRANDS = (
    "Aurora",
    "Boreal",
    "Cedar",
    "Dune",
    "Ember",
    "Fjord",
    "Grove",
    "Harbor",
    "Iris",
    "Juniper",
    "Kestrel",
    "Lark",
)
THINGS = (
    *("face cream", "hand soap", "nail lacquer", "hair mask", "lip balm", "shower gel", "eye shadow", "body lotion"),
    *("bath salt", "beard oil", "hair dryer", "cotton pads", "sun spray", "night serum", "tea tree shampoo", "razor"),
)
USES = (
    "for dry skin",
    "for daily use",
    "with rose oil",
    "without perfume",
    "for sensitive skin",
    "travel size",
    "refill",
)

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
FAST = QuantizeSettings(alphas=(0.5, 0.8), least_table=1024)


def texts_of(count: int) -> list[str]:
    """Distinct English product texts."""
    drawn = [
        f"{brand} {thing} {use}, {size} ml"
        for size in (30, 50, 100, 250)
        for use in USES
        for thing in THINGS
        for brand in BRANDS
    ]
    order = np.random.default_rng(0).permutation(len(drawn))
    return [drawn[row] for row in order[:count]]


def write_tokenizer(folder: Path) -> int:
    """Write a small WordPiece tokenizer into a model folder; return the size of its vocabulary."""
    words = sorted({word for text in texts_of(2000) for word in text.lower().replace(",", " , ").split()})
    letters = [chr(code) for code in range(97, 123)] + [str(digit) for digit in range(10)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words, *letters, *(f"##{letter}" for letter in letters)]
    numbered = {word: number for number, word in enumerate(dict.fromkeys(vocabulary))}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(numbered, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", [("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return len(numbered)


def write_unigram(folder: Path) -> int:
    """Write a small unigram tokenizer, as XLM-R has one, into a model folder; return the size of its vocabulary."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = tokenizers.trainers.UnigramTrainer(vocab_size=400, special_tokens=specials, unk_token="<unk>")  # noqa: S106
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram())
    tokenizer.normalizer = tokenizers.normalizers.NFKC()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(texts_of(600), trainer)
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return int(tokenizer.get_vocab_size())


def save_model(folder: Path, model: transformers.PreTrainedModel) -> EncoderSource:
    """Save a model with random weights, some channels made loud as trained ones are."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("LayerNorm.weight"):
                weight[:2] *= 8
    model.save_pretrained(str(folder))
    return describe(folder.name, folder)


def make_source(folder: Path, kind: str) -> EncoderSource:
    """Make a tiny encoder of one architecture in `folder`."""
    folder.mkdir()
    torch.manual_seed(0)
    size = write_unigram(folder) if kind == "xlm-roberta" else write_tokenizer(folder)
    positions = 130 if kind == "bert" else 132  # two of the others' come before the first token
    library: Any = transformers
    config = library.AutoConfig.for_model(
        kind, vocab_size=size, max_position_embeddings=positions, pad_token_id=0 if kind == "bert" else 1, **TINY
    )
    return save_model(folder, library.AutoModel.from_config(config))
