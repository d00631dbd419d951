"""Corrected profiles and the queries that follow from them."""

from __future__ import annotations

import numpy as np
import pytest

import tiny
from engine_runtime.profile.correction import (
    Amounts,
    Known,
    amounts_of,
    concepts_of_items,
    corrected_profile,
    corrected_query,
    parts_of_profile,
)

Z = np.array([[0.5, 0.3, 0.2]], np.float32)
NOTHING = np.zeros((1, 3), np.float32)


def of(*corrections: Known) -> Amounts:
    return amounts_of([corrections], 3)


@pytest.mark.parametrize(
    ("profile", "amounts", "expected"),
    [
        (Z, of(), [0.5, 0.3, 0.2]),
        (Z, of((0, "mask", 0.0)), [0.0, 0.6, 0.4]),
        (Z, of((0, "scale", 3.0)), [0.75, 0.15, 0.1]),
        (Z, of((2, "add", 0.5)), [0.25, 0.15, 0.6]),
        (Z, of((0, "mask", 0.0), (1, "scale", 2.0), (2, "add", 0.2)), [0.0, 0.6, 0.4]),
        (Z, of((0, "mask", 0.0), (1, "mask", 0.0), (2, "mask", 0.0)), [0.0, 0.0, 0.0]),
        (Z, of((0, "add", 1.0)), [1.0, 0.0, 0.0]),
        (NOTHING, of((0, "add", 0.1), (1, "add", 0.3)), [0.25, 0.75, 0.0]),
        (NOTHING, of((0, "scale", 3.0)), [0.0, 0.0, 0.0]),
    ],
)
def test_profiles_by_hand(profile: np.ndarray, amounts: Amounts, expected: list[float]) -> None:
    """Masked is 0, scaled is weighed before the sum is 1 again, added takes its weight of the whole."""
    found = corrected_profile(profile, amounts)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [expected], atol=1e-7)


def test_a_profile_is_the_sum_of_its_parts() -> None:
    """What events keep and what is stated make the whole, for many users at once as for each alone."""
    generator = np.random.default_rng(0)
    profile = generator.dirichlet(np.ones(6), 5).astype(np.float32)
    amounts = amounts_of(
        [[(0, "mask", 0.0)], [(1, "scale", 0.5), (2, "add", 0.3)], [], [(3, "add", 0.9)], [(0, "scale", 9.0)]], 6
    )
    factor, stated = parts_of_profile(profile, amounts)
    whole = corrected_profile(profile, amounts)
    np.testing.assert_allclose(factor * profile + stated, whole, atol=1e-7)
    np.testing.assert_allclose(whole.sum(axis=1), 1, atol=1e-6)
    for user in range(5):
        alone = corrected_profile(profile[user : user + 1], amounts.take([user]))
        assert np.array_equal(alone[0], whole[user])


def test_a_query_is_that_of_the_refiner() -> None:
    """From the newest state and the profile as they are, the query of the graph comes again."""
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(4, tiny.SHAPE.dim)).astype(np.float32)
    types, values, gaps = [0, 1, 1, 0], np.ones(4, np.float32), np.zeros(4, np.float32)
    query, concepts = tiny.refined(vectors, types, values, gaps)
    held = {name: tiny.weights(name, *shape) for name, shape in tiny.REFINER_WEIGHTS.items()}
    state = (vectors + held["type_table"][types] + values[:, None] * held["value_weight"]).mean(axis=0)
    found = corrected_query(tiny.query_head(), concepts.mean(axis=0)[None], state[None])
    np.testing.assert_allclose(found[0], query, atol=1e-5)


def test_an_item_belongs_to_the_nearest_centre(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the angle, in blocks as in one; an item that says nothing belongs to none."""
    centres = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)
    directions = np.array([[0.8, 0.6], [0.6, 0.8], [-1, 0], [0, 0], [0, -1]], np.float32)
    expected = [0, 1, 2, -1, 0]
    assert concepts_of_items(directions, centres).tolist() == expected
    monkeypatch.setattr("engine_runtime.profile.correction.BLOCK_ITEMS", 2)
    assert concepts_of_items(directions, centres).tolist() == expected
