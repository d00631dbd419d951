"""Named concepts: where their centres start, and what a person calls them.

Knows whitened texts, item vectors and item records; knows nothing of users. A name is made of the category and the
words that the items nearest a centre share and the rest of the catalogue does not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

NEAREST = 20
KEYWORDS = 5
CATEGORY_SHARE = 0.4
ROUNDS = 20

_LATIN = re.compile(r"[^\W\d_]{3,}")
_HAN = re.compile(r"[\u4e00-\u9fff]{2,}")


@dataclass(frozen=True)
class Concept:
    """What a person reads for one dimension of a profile.

    Attributes
    ----------
    name
        Unique among the concepts of a run.
    keywords
        Words that set its items apart, best first.
    """

    name: str
    keywords: tuple[str, ...]


def encode_concepts(concepts: Sequence[Concept]) -> bytes:
    """The concepts as JSON."""
    return msgspec.json.format(msgspec.json.encode([asdict(concept) for concept in concepts]), indent=1)


def spherical_kmeans(points: Floats, n_clusters: int, generator: np.random.Generator) -> Floats:
    """Centres of `n_clusters` groups of directions, float32 [n_clusters, d], each of unit length.

    Lloyd's rounds on unit vectors from a k-means++ start; where there are fewer points than clusters, noise tells the
    repeated ones apart.
    """
    unit = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)
    centres = unit[_spread(unit, n_clusters, generator)]
    centres = centres + generator.normal(0, 1e-3, centres.shape).astype(np.float32)
    for _ in range(ROUNDS):
        nearest = (unit @ centres.T).argmax(1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, unit)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(norms > 1e-6, sums / np.maximum(norms, 1e-12), centres)
    return np.asarray(centres, np.float32)


def _spread(unit: Floats, n_clusters: int, generator: np.random.Generator) -> list[int]:
    """Rows far from one another: each is drawn by its squared distance from those drawn before."""
    chosen = [int(generator.integers(len(unit)))]
    distance = np.full(len(unit), np.inf)
    for _ in range(n_clusters - 1):
        distance = np.minimum(distance, np.maximum(2 - 2 * (unit @ unit[chosen[-1]]), 0))
        total = float(distance.sum())
        share = distance / total if total > 1e-9 else None
        chosen.append(int(generator.choice(len(unit), p=share)))
    return chosen


def words(text: str) -> list[str]:
    """Words of a text in lower case: letters in runs of three or more, Chinese in pairs of characters."""
    pairs = [run[place : place + 2] for run in _HAN.findall(text) for place in range(len(run) - 1)]
    return [word for word in _LATIN.findall(text.lower()) if not _HAN.match(word)] + pairs


def name_concepts(
    centres: Floats, item_vectors: Floats, texts: Sequence[str], categories: Sequence[str | None]
) -> list[Concept]:
    """Name each centre after the items nearest to it.

    Parameters
    ----------
    centres
        float32 [C, d].
    item_vectors
        float32 [items, d]; for the items that may be shown.
    texts, categories
        Of those items.
    """
    unit = item_vectors / np.maximum(np.linalg.norm(item_vectors, axis=1, keepdims=True), 1e-12)
    nearest = np.argsort(-(centres @ unit.T), axis=1, kind="stable")[:, :NEAREST]
    bags = [Counter(set(words(text))) for text in texts]
    spread = Counter(word for bag in bags for word in bag)
    concepts: list[Concept] = []
    taken: set[str] = set()
    for rows in nearest:
        keywords = _keywords([bags[row] for row in rows], spread, len(texts))
        name = _name(keywords, [categories[row] for row in rows], taken)
        taken.add(name)
        concepts.append(Concept(name, tuple(keywords)))
    return concepts


def _keywords(bags: Sequence[Counter[str]], spread: Counter[str], n_texts: int) -> list[str]:
    """Words by share among these items times log of rarity: TF-IDF over sets of texts."""
    here = Counter(word for bag in bags for word in bag)
    weight = {word: count / len(bags) * np.log(n_texts / spread[word]) for word, count in here.items() if count > 1}
    return sorted(weight, key=lambda word: (-weight[word], word))[:KEYWORDS]


def _name(keywords: Sequence[str], categories: Sequence[str | None], taken: set[str]) -> str:
    leaves = Counter(category.split(" > ")[-1] for category in categories if category)
    head = ""
    if leaves:
        leaf, count = min(leaves.items(), key=lambda pair: (-pair[1], pair[0]))
        head = leaf if count >= CATEGORY_SHARE * len(categories) else ""
    for length in (2, 3, 4, 5):
        tail = ", ".join(keywords[:length])
        name = ": ".join(part for part in (head, tail) if part)
        if name and name not in taken:
            return name
    base = name or "various"
    return next(f"{base} ({number})" for number in range(2, len(taken) + 3) if f"{base} ({number})" not in taken)
