"""What a user would write today with sentence-transformers and hnswlib, as contenders of `turns`.

``joined``: one text a user, the texts of the user's items, newest first, as far as the model reads; its vector is the
profile. ``large``: the same with an encoder of BERT's size, as the source of the formulas has it. ``mean``: the mean
of the vectors of the user's items. All search the items' vectors, and leave out what the user has seen.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine_bench.serving.night import TOP_K, Given, Lists, timed
from engine_models.corpus import evenly
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.histories import Histories
from engine_runtime.data.schema import RANKABLE, TEXT
from engine_runtime.data.stored import read_catalogue, read_histories

Floats = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Floats]
BATCH = 32
"""The library's own default; it sorts by length itself."""
LONGEST = 512
"""Tokens that BERT reads."""
BERT: dict[str, int] = {}
"""Sizes other than those of `BertConfig`, which are bert-base-uncased's."""
LINKS, BREADTH, LEAST_EF = 16, 200, 64
"""Of HNSW: links a point, breadth at build; least breadth of a search."""


def load(folder: str, variant: str) -> tuple[str, Callable[[], dict[str, Any]]]:
    """Variant ``joined``, ``mean`` or ``large``."""
    given = Given.read(folder)
    dataset = Dataset.open(Path(given.dataset), verify=False)
    catalogue, histories = read_catalogue(dataset.items), read_histories(dataset)
    texts, rankable = catalogue[TEXT].to_pylist(), catalogue[RANKABLE].to_numpy()
    known, rows, weights, name = np.arange(len(texts)), np.arange(len(histories)), given.weights, given.name
    if variant == "large":
        known = evenly(len(texts), given.large_items)
        rows = evenly(len(histories), given.large_users)
        weights = given.large or str(random_bert(Path(folder) / "bert", given.weights))
        name = Path(given.large).name if given.large else "BERT with random weights"
    histories, read = histories.take(rows), {"known": known, "rows": rows}
    model, encode = _encoder(weights, given.threads)
    encode(texts[:BATCH])  # the first call allocates

    def items() -> tuple[Floats, Any]:
        vectors = encode([texts[item] for item in known])
        shown = rankable[known]
        return vectors, _index(vectors[shown], known[shown], given.threads)

    def users(shelf: tuple[Floats, Any]) -> Lists:
        vectors, index = shelf
        profiles = _means(vectors, histories) if variant == "mean" else encode(joined(texts, histories))
        lists = search(index, profiles, histories)
        np.savez(Path(folder) / f"{variant}-profiles.npz", profiles=profiles, lists=lists)
        return lists

    settings = (
        f"sentence-transformers, PyTorch, float32, {name}, at most {model.max_seq_length} tokens, batches of {BATCH}, "
        f"{given.threads} threads, hnswlib; {len(known):,} items and {len(histories):,} users; profile vectors as .npz"
    )
    return settings, lambda: timed(items, users, lambda lists: lists) | read


def joined(texts: Sequence[str], histories: Histories) -> list[str]:
    """One text a user: those of the user's items, newest first."""
    return [
        ". ".join(texts[item] for item in histories.items[start:stop][::-1])
        for start, stop in pairwise(histories.offsets)
    ]


def search(index: Any, profiles: Floats, histories: Histories) -> Lists:
    """The items nearest to each profile, without those of the user's history."""
    breadth = min(TOP_K + int(histories.lengths.max()), index.get_current_count())
    index.set_ef(max(breadth, LEAST_EF))
    found, _ = index.knn_query(profiles, k=breadth)
    lists = np.full((len(histories), TOP_K), -1, np.int32)
    for row, near in enumerate(found):
        seen = histories.items[histories.offsets[row] : histories.offsets[row + 1]]
        fresh = near[~np.isin(near, seen)][:TOP_K]
        lists[row, : len(fresh)] = fresh
    return lists


def random_bert(folder: Path, tokenizer: str) -> Path:
    """An encoder of BERT's size with random weights, saved in `folder`: as fast as a trained one.

    Its tokenizer is that in the folder `tokenizer`.
    """
    import torch

    transformers: Any = importlib.import_module("transformers")
    words = transformers.AutoTokenizer.from_pretrained(tokenizer)
    words.model_max_length = LONGEST
    torch.manual_seed(0)
    network = transformers.BertModel(transformers.BertConfig(vocab_size=len(words), **BERT))
    network.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def _encoder(folder: str, threads: int) -> tuple[Any, Encode]:
    import torch

    torch.set_num_threads(threads)
    library: Any = importlib.import_module("sentence_transformers")
    model = library.SentenceTransformer(folder, device="cpu", local_files_only=True)

    def encode(texts: Sequence[str]) -> Floats:
        found = model.encode(list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, np.float32)

    return model, encode


def _index(vectors: Floats, numbers: npt.NDArray[np.int64], threads: int) -> Any:
    hnswlib: Any = importlib.import_module("hnswlib")
    index = hnswlib.Index("cosine", vectors.shape[1])
    index.init_index(len(vectors), M=LINKS, ef_construction=BREADTH)
    index.set_num_threads(threads)
    index.add_items(vectors, numbers)
    return index


def _means(vectors: Floats, histories: Histories) -> Floats:
    """Mean of the vectors of each user's items; everyone asked for has some."""
    summed = np.add.reduceat(vectors[histories.items], histories.offsets[:-1])
    return np.asarray(summed / histories.lengths[:, None], np.float32)
