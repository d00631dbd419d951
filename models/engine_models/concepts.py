"""Named concepts: where their centres start, and what a person calls them.

Knows whitened texts, item vectors and item records; knows nothing of users. A name is made of the category and the
words that the items nearest a centre share and the rest of the catalogue does not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from textwrap import shorten

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

NEAREST = 20
KEYWORDS = 5
COMMON = 0.4
"""Share of a concept's nearest items that a category has to have to be in its name."""
SHARED = 0.15
"""The same share for a word: one that few of them have says little of the rest."""
FREQUENT = 0.1
"""Words in a larger share of the texts than this tell nothing apart."""
ROUNDS = 20
TITLE_WIDTH = 60

FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "about all and are but can for from has have her his how its not off one our out over she that the them they "
        "this too was what when who why will with you your after again also because been before being could did does "
        "get gets got had here into just made make makes may more most now other said say says should some than then "
        "there these those today under until very were where which while would 一个 一部 他们 我们 自己 这个 因为 所以",
    )
)
"""Words that join others and name nothing."""

_LETTERS = re.compile(r"[^\W\d_\u4e00-\u9fff]{3,}")
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


@dataclass(frozen=True)
class Described:
    """What items say of themselves, item by item.

    Attributes
    ----------
    texts, titles
        Full texts, and what a person calls the items.
    categories
        Levels joined by " > ", labels side by side by ", "; None where there is none.
    """

    texts: Sequence[str]
    titles: Sequence[str]
    categories: Sequence[str | None]


def encode_concepts(concepts: Sequence[Concept]) -> bytes:
    """The concepts as JSON."""
    return msgspec.json.format(msgspec.json.encode([asdict(concept) for concept in concepts]), indent=1)


def spherical_kmeans(points: Floats, n_clusters: int, generator: np.random.Generator) -> Floats:
    """Centres of `n_clusters` groups of directions, float32 [n_clusters, d], each of unit length.

    Lloyd's rounds on unit vectors from a k-means++ start; where there are fewer points than clusters, noise tells the
    repeated ones apart.
    """
    unit = _unit(points)
    centres = unit[_spread(unit, n_clusters, generator)]
    centres = _unit(centres + generator.normal(0, 1e-3, centres.shape).astype(np.float32))
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
    return _LETTERS.findall(text.lower()) + pairs


def name_concepts(
    centres: Floats, item_vectors: Floats, described: Described, naming: npt.NDArray[np.bool_] | None = None
) -> list[Concept]:
    """Name each centre after the items nearest to it.

    Parameters
    ----------
    centres
        float32 [C, d].
    item_vectors
        float32 [items, d]; of the items that may be shown.
    described
        What those items say.
    naming
        bool [items]: which of them may name a concept; all if None. The others give no word, category or title, and a
        concept without a naming item among its nearest ones has its number for a name, counted from 1.
    """
    nearest = np.argsort(-closeness(centres, item_vectors), axis=1, kind="stable")[:, :NEAREST]
    word_bags = [frozenset(words(text)) for text in described.texts]
    paths = [[labels(level) for level in (category or "").split(" > ")] for category in described.categories]
    levels = [
        [frozenset(path[depth] if depth < len(path) else ()) for path in paths]
        for depth in reversed(range(max(map(len, paths), default=0)))
    ]
    spreads = [_spread_of(bags) for bags in levels]
    word_spread = _spread_of(word_bags)
    n_texts = len(word_bags)
    stop = {word for word, count in word_spread.items() if count > FREQUENT * n_texts}
    stop |= FUNCTION_WORDS
    stop |= {
        word for spread in spreads for label in spread for word in words(label)
    }  # categories have their own place in a name
    concepts: list[Concept] = []
    taken: set[str] = set()
    for number, near in enumerate(nearest, 1):
        rows = [row for row in near if naming is None or naming[row]]
        if not rows:
            concepts.append(Concept(f"concept {number}", ()))
            taken.add(concepts[-1].name)
            continue
        # The innermost level that the items share says most.
        heads = next(
            (
                found
                for bags, spread in zip(levels, spreads, strict=True)
                if (found := _telling([bags[row] for row in rows], spread, n_texts, COMMON)[:2])
            ),
            [],
        )
        telling = _telling([word_bags[row] for row in rows], word_spread, n_texts, SHARED)
        keywords = [word for word in telling if word not in stop][:KEYWORDS]
        name = _name(heads, keywords, [described.titles[row] for row in rows], taken)
        taken.add(name)
        concepts.append(Concept(name, tuple(keywords)))
    return concepts


def labels(category: str | None) -> list[str]:
    """The innermost level of a category, or each of several side by side."""
    return [label for label in (category or "").split(" > ")[-1].split(", ") if label]


def closeness(centres: Floats, item_vectors: Floats) -> Floats:
    """How near each item is to each centre: float32 [C, items], the cosine of both less their means.

    What all items share, and all centres, tells none apart: without its removal, items that training has hardly moved
    are the nearest ones to many centres.
    """
    return np.asarray(_unit(centres - centres.mean(0)) @ _unit(item_vectors - item_vectors.mean(0)).T, np.float32)


def _spread_of(bags: Sequence[frozenset[str]]) -> Counter[str]:
    return Counter(term for bag in bags for term in bag)


def _telling(bags: Sequence[frozenset[str]], spread: Counter[str], n_texts: int, least: float = 0.0) -> list[str]:
    """Terms that set these items apart, best first.

    A term weighs ``p log(p / q)``, its part of the divergence of these items from the catalogue, with p its share among
    them and q its share in all; it stands in two of them at the least, and in the share `least`.
    """
    weight = {}
    for term, count in _spread_of(bags).items():
        share = count / len(bags)
        if count > 1 and share >= least:
            weight[term] = share * np.log(share * n_texts / spread[term])
    return sorted((term for term in weight if weight[term] > 0), key=lambda term: (-weight[term], term))


def _name(heads: Sequence[str], keywords: Sequence[str], titles: Sequence[str], taken: set[str]) -> str:
    """Categories and telling words; where few words tell the items apart, the title of the nearest one.

    Centres that training has let fall together have the same items: the later ones are numbered.
    """
    head = ", ".join(heads)
    tails = [", ".join(keywords[:length]) for length in (2, 3) if length <= len(keywords)]
    tails = tails or [f"like {shorten(titles[0], TITLE_WIDTH, placeholder='...')}"]
    names = [f"{head}: {tail}" if head else tail for tail in tails]
    fresh = next((name for name in names if name not in taken), None)
    return fresh or next(name for number in range(2, len(taken) + 3) if (name := f"{names[0]} ({number})") not in taken)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)
