"""Planted worlds: items in rings, each followed by the next of its ring, and an encoder that hashes words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine_models.corpus import Corpus
from engine_models.split import leave_one_out
from engine_runtime.artefacts import encoder as layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact, EncoderInfo
from engine_runtime.artefacts.writing import drafting
from engine_runtime.data import schema
from engine_runtime.data.histories import Histories
from shops import EVENTS, ITEMS, Shop

USERS = '[users]\nid = "user"\nattributes = ["taste", "coin"]\n'
WIDTH = 24
KINDS = ("soap", "lamp", "novel", "guitar", "tent", "coffee")


@dataclass(frozen=True)
class Rings:
    """Items ``ring * size + place``; a user walks along one ring.

    Attributes
    ----------
    size
        Items of a ring; there are as many rings as `KINDS`.
    users
        How many.
    """

    size: int = 9
    users: int = 150

    def walks(self, seed: int = 0) -> list[list[int]]:
        """Items of each user, oldest first, none twice."""
        generator = np.random.default_rng(seed)
        walks = []
        for _ in range(self.users):
            ring, start = generator.integers(len(KINDS)), generator.integers(self.size)
            steps = np.arange(generator.integers(4, self.size))
            walks.append((ring * self.size + (start + steps) % self.size).tolist())
        return walks

    def ingest(self, folder: Path, seed: int = 0) -> Dataset:
        """Ingest the walks; the last two items of the catalogue are met by nobody.

        A user's ``taste`` follows from the ring, ``coin`` from nothing; the first user's are not given.
        """
        numbers = range(len(KINDS) * self.size)
        items = [f"i{n:03d},{KINDS[n // self.size]} number {n} of {n // self.size}" for n in numbers]
        items += ["i998,soap brand new", "i999,lamp brand new"]
        walks = self.walks(seed)
        events = [
            f"u{user:03d},i{item:03d},{1_600_000_000 + 3600 * step}"
            for user, walk in enumerate(walks)
            for step, item in enumerate(walk)
        ]
        half, coins = len(KINDS) * self.size // 2, np.random.default_rng(seed + 1).random(self.users) < 0.5
        users = [
            f"u{user:03d},{'home' if walk[0] < half else 'out'},{'heads' if coins[user] else 'tails'}"
            for user, walk in enumerate(walks)
        ][1:]
        folder.mkdir(parents=True, exist_ok=True)
        config = EVENTS + 'time_format = "seconds"\n' + ITEMS + USERS
        return Shop(folder).ingest(
            "\n".join(["user,item,time", *events]),
            "\n".join(["id,title", *items]),
            "\n".join(["user,taste,coin", *users]),
            config,
        )


@dataclass(frozen=True)
class Served:
    """Paths of bundles and of their indexes."""

    bundles: list[Path]
    indexes: list[Path]


class HashingEncoder:
    """Stands for `engine_runtime.inference.encoder.TextEncoder`: each word is a direction drawn from its hash."""

    def __init__(self, graph: Path, tokenizer: Path, info: EncoderInfo) -> None:
        self.info = info

    @classmethod
    def open(cls, artefact: EncoderArtefact, precision: str, *, cache: Path | None = None) -> HashingEncoder:
        """As of the class it stands for."""
        return cls(artefact.root, artefact.tokenizer, artefact.info)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Sum of the texts' words, of unit length."""
        vectors = np.array([sum((_direction(word) for word in text.split()), np.zeros(WIDTH)) for text in texts])
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)


def _direction(word: str) -> npt.NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(WIDTH)


def write_encoder(path: Path, precisions: tuple[str, ...] = ("fp32",)) -> EncoderArtefact:
    """An encoder artefact whose files hold nothing; `HashingEncoder` stands for them."""
    with drafting(path, layout.KIND) as draft:
        for name in (layout.TOKENIZER_FILE, layout.PARITY_FILE, *map(layout.graph_file, precisions)):
            (draft.path / name).write_text("{}")
        draft.seal(EncoderInfo("hash", "0" * 64, WIDTH, 64, 0, precisions, {}, "mean", {}))
    return EncoderArtefact.open(path)


def corpus_of(
    histories: Histories,
    n_items: int,
    *,
    weights: Sequence[float] = (1.0,),
    unrankable: Sequence[int] = (),
    texts: Sequence[str] | None = None,
) -> Corpus:
    """A corpus in memory, as `engine_models.corpus.read_corpus` makes it of files."""
    rankable = np.ones(n_items, np.bool_)
    rankable[list(unrankable)] = False
    columns = {
        schema.ITEM_ID: [f"i{item:03d}" for item in range(n_items)],
        schema.TEXT: list(texts or [f"item {item}" for item in range(n_items)]),
        schema.TITLE: [None] * n_items,
        schema.BRAND: [None] * n_items,
        schema.CATEGORY: [None] * n_items,
        schema.PRICE: [None] * n_items,
        schema.RANKABLE: rankable,
        schema.N_EVENTS: np.zeros(n_items, np.int64),
    }
    split = leave_one_out(histories, weights, rankable)
    catalogue, nothing = pa.table(columns, schema=schema.ITEMS), np.zeros(n_items, np.int64)
    corpus = Corpus(catalogue, rankable, split, nothing, nothing > 0)
    return replace(corpus, popularity=np.bincount(corpus.training_part()[0], minlength=n_items))
