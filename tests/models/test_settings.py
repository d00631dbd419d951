"""What of the recipe follows from the data."""

from __future__ import annotations

import pytest

from engine_models.settings import FULL_SOFTMAX_ITEMS, TrainSettings, derive, shape_of
from engine_runtime.errors import UsageError


@pytest.mark.parametrize(("n_items", "concepts"), [(3, 16), (256, 16), (1600, 100), (10**6, 256)])
def test_concepts_follow_the_catalogue(n_items: int, concepts: int) -> None:
    """There is one concept for about sixteen items, 16 to 256."""
    assert derive(TrainSettings(), n_items, 10 * n_items, n_items).n_concepts == concepts


@pytest.mark.parametrize(("density", "dropout"), [(1, 0.5), (16, 0.5), (32, 0.35), (64, 0.2), (1000, 0.2)])
def test_dropout_follows_the_density(density: int, dropout: float) -> None:
    """Sparse data are trained with much dropout, dense data with little."""
    assert derive(TrainSettings(), 100, 100 * density, 100).dropout == pytest.approx(dropout)


@pytest.mark.parametrize(("n_items", "negatives"), [(FULL_SOFTMAX_ITEMS, 0), (FULL_SOFTMAX_ITEMS + 1, 1024)])
def test_large_catalogues_are_sampled(n_items: int, negatives: int) -> None:
    """The softmax is full up to 20,000 items and sampled beyond."""
    assert derive(TrainSettings(), n_items, n_items, n_items).negatives == negatives


def test_what_is_given_is_kept() -> None:
    """A setting of the user's is not derived, zero included."""
    given = TrainSettings(n_concepts=7, dropout=0.0, negatives=0, dim=8, max_events=9)
    assert derive(given, 10**6, 10**7, 10**4) == given


@pytest.mark.parametrize(
    ("n_items", "n_events", "n_users", "dim", "max_events"),
    [(12_000, 150_000, 22_000, 64, 50), (3_400, 990_000, 6_000, 128, 200), (1_600, 98_000, 943, 64, 50)],
)
def test_sizes_follow_the_data(n_items: int, n_events: int, n_users: int, dim: int, max_events: int) -> None:
    """Many events an item make vectors wide; long histories are read as far as enough windows are left."""
    settings = derive(TrainSettings(), n_items, n_events, n_users)
    assert (settings.dim, settings.max_events) == (dim, max_events)


def test_nothing_to_derive_from() -> None:
    """An empty data set derives without an error; it is refused elsewhere."""
    assert derive(TrainSettings(), 0, 0, 0).dropout == 0.5


def test_shape_needs_derived_settings() -> None:
    """Settings that are not derived have no shape."""
    with pytest.raises(ValueError, match="derived"):
        shape_of(TrainSettings(), 384, 1)


def test_shape_whitens_no_more_than_the_text_has() -> None:
    """An encoder narrower than the whitening keeps all its directions."""
    settings = TrainSettings(n_concepts=16, dim=64, max_events=50)
    assert shape_of(settings, 384, 2).white_dim == 128
    assert shape_of(settings, 32, 2).white_dim == 32


def test_heads_divide_the_width() -> None:
    """A width that the heads do not divide is the user's mistake, said before anything is trained."""
    with pytest.raises(UsageError, match="no multiple of the 2 attention heads"):
        shape_of(TrainSettings(dim=33, n_concepts=16, max_events=50), 384, 1)
