"""Centres and names of concepts."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest

from engine_models.concepts import (
    KEYWORDS,
    Concept,
    Described,
    closeness,
    encode_concepts,
    labels,
    name_concepts,
    spherical_kmeans,
    words,
)

Floats = npt.NDArray[np.float32]
KINDS = (
    *("nail lacquer", "tea kettle", "camping tent", "desk lamp", "guitar strings", "running shoes"),
    *("face cream", "board game", "coffee beans", "garden hose", "phone case", "winter gloves"),
)
CHINESE = (
    *("控油洗发水", "防水手机壳", "儿童图画书", "陶瓷马克杯", "无线蓝牙耳机", "有机绿茶叶"),
    *("户外露营帐", "羊毛针织衫", "机械键盘灯", "婴幼纸尿裤", "吉他练习谱", "不锈炒菜锅"),
)


def groups(count: int, members: int, width: int = 16, noise: float = 0.1) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Points around some axes, and the axis of each."""
    generator = np.random.default_rng(1)
    owner = np.repeat(np.arange(count), members)
    points = np.eye(width)[owner] * 3 + generator.normal(0, noise, (len(owner), width))
    return points.astype(np.float32), owner


def test_kmeans_finds_the_groups() -> None:
    """Each planted direction has a centre of its own, of unit length."""
    points, owner = groups(6, 20)
    centres = spherical_kmeans(points, 6, np.random.default_rng(0))
    nearest = (points @ centres.T).argmax(1)
    assert centres.dtype == np.float32
    assert np.allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-5)
    assert len(set(zip(nearest.tolist(), owner.tolist(), strict=True))) == 6


@pytest.mark.parametrize("points", [groups(3, 1)[0], np.zeros((4, 16), np.float32), np.ones((1, 16), np.float32)])
def test_more_clusters_than_points(points: Floats) -> None:
    """Fewer points than clusters, or points all alike, give finite centres that differ, of unit length."""
    centres = spherical_kmeans(points, 9, np.random.default_rng(0))
    assert np.isfinite(centres).all()
    assert np.allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-5)
    assert len(np.unique(centres, axis=0)) == 9


def test_kmeans_repeats() -> None:
    """The same generator gives the same centres."""
    points, _ = groups(6, 20)
    one, other = (spherical_kmeans(points, 5, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nail-Art Set, 12 ml (2020)", ["nail", "art", "set"]),
        ("洗发水", ["洗发", "发水"]),
        ("iPhone手机壳 红", ["iphone", "手机", "机壳"]),
        ("防晒spray和case", ["spray", "case", "防晒"]),
        ("Crème brûlée für ÄPFEL", ["crème", "brûlée", "für", "äpfel"]),
        ("スキンケア", ["スキンケア"]),
        ("a b 12 _ !", []),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    """Letters come in runs of three or more, Chinese in pairs of characters, also where both stand side by side."""
    assert words(text) == expected


def test_names_come_from_what_the_items_share() -> None:
    """A concept is named after its items' category and the words that others lack, not after what all texts say."""
    points, owner = groups(len(KINDS), 20)
    texts = [f"The new {KINDS[group]} number {row}" for row, group in enumerate(owner)]
    categories = [f"Shop > {'Home' if group % 2 else 'Out'}" for group in owner]
    concepts = name_concepts(np.eye(16, dtype=np.float32)[: len(KINDS)], points, Described(texts, texts, categories))
    for number, (concept, kind) in enumerate(zip(concepts, KINDS, strict=True)):
        assert set(concept.keywords) == set(kind.split())
        assert concept.name.startswith("Home: " if number % 2 else "Out: ")
        assert set(kind.split()) <= set(concept.name.replace(",", "").split())


def test_chinese_texts_have_sensible_keywords() -> None:
    """Chinese titles, with Latin words in them, give keywords of their own group."""
    points, owner = groups(len(CHINESE), 20)
    texts = [f"新品{'ABC'[row % 3]}{CHINESE[group]}{row}ml 正品" for row, group in enumerate(owner)]
    described = Described(texts, texts, [None] * len(texts))
    concepts = name_concepts(np.eye(16, dtype=np.float32)[: len(CHINESE)], points, described)
    for concept, kind in zip(concepts, CHINESE, strict=True):
        assert concept.keywords
        assert all(keyword in kind for keyword in concept.keywords)
        assert concept.name.split(", ")[0] in kind


def test_names_are_unique() -> None:
    """However alike the items are, or wordless, no two concepts share a name."""
    centres = np.random.default_rng(0).standard_normal((30, 16)).astype(np.float32)
    points, owner = groups(2, 30)
    for texts in ([""] * 60, ["blue soap"] * 60, [f"{['soap', 'lamp'][group]} thing" for group in owner]):
        for titles in (["one"] * 60, [f"item {row}" for row in range(60)]):
            described = Described(texts, titles, ["Care > Soap, Bath"] * 30 + [None] * 30)
            concepts = name_concepts(centres, points, described)
            names = [concept.name for concept in concepts]
            assert len(set(names)) == 30
            assert all(names)
            assert all(len(concept.keywords) <= KEYWORDS for concept in concepts)


def test_where_words_fail_the_nearest_item_names_the_concept() -> None:
    """Items without telling words or categories name their concept by a title, the nearest one first."""
    described = Described(["", ""], ["Ring", "Box"], [None, None])
    concepts = name_concepts(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), described)
    assert [concept.name for concept in concepts] == ["like Ring", "like Box"]


@pytest.mark.parametrize(
    ("category", "expected"),
    [("A > B > C", ["C"]), ("A > B, C", ["B", "C"]), ("Comedy, Drama", ["Comedy", "Drama"]), ("", []), (None, [])],
)
def test_labels(category: str | None, expected: list[str]) -> None:
    """A category says its innermost level, or each of several labels side by side."""
    assert labels(category) == expected


def test_concepts_are_plain_json() -> None:
    """Concepts are written as a list of names and keywords, Chinese as it is."""
    encoded = encode_concepts([Concept("洗发", ("洗发", "soap"))])
    assert json.loads(encoded) == [{"name": "洗发", "keywords": ["洗发", "soap"]}]
    assert "洗发" in encoded.decode()


def test_a_category_further_up_names_what_leaves_do_not_share() -> None:
    """Where the nearest items share no innermost category, the level above is in the name."""
    points, owner = groups(2, 20)
    leaves = [f"{'Care' if group else 'Home'} > leaf {row}" for row, group in enumerate(owner)]
    described = Described(["soap bar"] * 20 + ["desk lamp"] * 20, ["one"] * 40, leaves)
    names = [concept.name for concept in name_concepts(np.eye(16, dtype=np.float32)[:2], points, described)]
    assert [name.partition(":")[0] for name in names] == ["Home", "Care"]


def test_centres_that_fell_together_are_numbered() -> None:
    """The later of two centres with the same items has the name of the earlier one and a number."""
    points, owner = groups(2, 20)
    texts = [("soap bar", "desk lamp")[group] + f" {row}" for row, group in enumerate(owner)]
    centres = np.eye(16, dtype=np.float32)[[0, 1, 1]]
    concepts = name_concepts(centres, points, Described(texts, texts, [None] * 40))
    assert [concept.name for concept in concepts][1:] == [concepts[1].name, f"{concepts[1].name} (2)"]


def test_what_all_items_share_tells_nothing() -> None:
    """Closeness is the same when all items, or all centres, are shifted alike."""
    generator = np.random.default_rng(0)
    centres, items = (generator.standard_normal((n, 8)).astype(np.float32) for n in (5, 30))
    assert np.allclose(closeness(centres, items), closeness(centres + 3, items - 2), atol=1e-4)


def test_items_that_may_not_name_give_no_word() -> None:
    """A concept is named after those of its nearest items that may name; where none may, it has its number."""
    points, owner = groups(len(KINDS), 20)
    hidden = (owner == 1) | (np.arange(len(owner)) % 2 == 1)
    secret = ["secret" + "abcdefghijkl"[group] if kept else "" for group, kept in zip(owner, hidden, strict=True)]
    texts = [f"{word} {KINDS[group]}" for word, group in zip(secret, owner, strict=True)]
    asked = (np.eye(16, dtype=np.float32)[: len(KINDS)], points, Described(texts, texts, [None] * len(texts)))
    concepts = name_concepts(*asked, ~hidden)
    assert concepts[1] == Concept("concept 2", ())
    assert all(concept.keywords for number, concept in enumerate(concepts) if number != 1)
    assert not any("secret" in concept.name for concept in concepts)
    assert any("secret" in concept.name for concept in name_concepts(*asked))


def test_where_all_items_may_name_names_stay() -> None:
    """A mask that leaves out nothing changes no name."""
    points, owner = groups(len(KINDS), 20)
    texts = [f"The new {KINDS[group]} number {row}" for row, group in enumerate(owner)]
    asked = (np.eye(16, dtype=np.float32)[: len(KINDS)], points, Described(texts, texts, [None] * len(texts)))
    assert name_concepts(*asked, np.ones(len(texts), np.bool_)) == name_concepts(*asked)
