"""Measures of concepts."""

from __future__ import annotations

import numpy as np
import pytest

from engine_models.concept_quality import judge_concepts, outermost, purities, purity, stability
from engine_models.corpus import Corpus
from engine_runtime.artefacts.run import Run
from engine_runtime.data.histories import histories_from
from planted import corpus_of


def test_purity_is_the_share_of_the_commonest() -> None:
    """Two groups of three and two, of which three items are of the commonest kind of theirs."""
    assert purity(np.array([0, 0, 1, 2, 3]), np.array([0, 0, 0, 4, 4])) == pytest.approx(3 / 5)


def test_groups_by_category_are_pure() -> None:
    """Groups that are the categories have purity 1, by chance far less; items without category do not count."""
    categories = [*(str(kind) for kind in range(5) for _ in range(20)), None]
    group = np.append(np.repeat(np.arange(5), 20), 0)
    found = purities(categories, group, group[::-1], np.random.default_rng(0))
    assert found is not None
    assert found.concepts == 1
    assert found.random < 0.6
    assert found.kmeans < 1


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        (["Shop > Care > Soap", "Shop > Home", None], ["Care", "Home", None]),
        (["Care > Soap", "Home"], ["Care", "Home"]),
        (["Shop", "Shop > Home"], ["Shop", "Shop"]),
        (["Comedy, Drama", ""], ["Comedy", None]),
        ([None], [None]),
    ],
)
def test_outermost_level_tells_items_apart(categories: list[str | None], expected: list[str | None]) -> None:
    """A root that all categories have in common is passed over, unless it is all that an item has."""
    assert outermost(categories) == expected


def test_without_categories_there_is_no_purity() -> None:
    """Where no item has a category nothing is said of it."""
    assert purities([None, None], np.array([0, 1]), np.array([0, 1]), np.random.default_rng(0)) is None


def test_profiles_are_the_users_own(trained: Run, corpus: Corpus) -> None:
    """On rings, profiles from both halves of a walk agree more than those of two users do."""
    found = stability(trained, corpus, np.random.default_rng(0))
    assert found is not None
    assert found.users == int((corpus.split.histories.lengths >= 4).sum())
    assert found.other < found.same <= 1.0001
    assert found.nearer > 0.5


def test_short_histories_have_no_halves(trained: Run) -> None:
    """Users with fewer than two events a half are not asked; without two users there is nothing to say."""
    short = corpus_of(histories_from([[0, 1, 2], [1, 2, 3]]), 56)
    assert stability(trained, short, np.random.default_rng(0)) is None


def test_report_shows_concepts_with_their_items(trained: Run, corpus: Corpus) -> None:
    """A report has as many concepts as asked, each with its nearest items' titles, and repeats with its seed."""
    report = judge_concepts(trained, corpus, n_shown=4, n_items=3)
    assert report == judge_concepts(trained, corpus, n_shown=4, n_items=3)
    assert len(report.shown) == 4
    assert all(len(items) == 3 for items in report.shown.values())
    assert set().union(*report.shown.values()) <= set(corpus.described().titles)
    assert report.n_concepts == trained.info.shape.n_concepts
    assert report.leaf is None
    assert 0 <= report.n_merged < report.n_concepts
