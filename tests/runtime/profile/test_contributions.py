"""Queries and profiles taken apart by concepts and events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from engine_runtime.errors import ArtefactError
from engine_runtime.profile.contributions import (
    QueryHead,
    interest_parts,
    over_events,
    profile_alone,
    query_shares,
    summing_to,
)

HEAD = tiny.query_head()
N_CONCEPTS, DIM = HEAD.pull.shape


def simplex(generator: np.random.Generator, count: int) -> np.ndarray:
    """Distributions over concepts."""
    return generator.dirichlet(np.ones(N_CONCEPTS), count)


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_shares_of_a_query_sum_to_its_products(count: int, seed: int) -> None:
    """Concepts, newest state and the norm's bias sum to the inner products, and concepts split over events."""
    generator = np.random.default_rng(seed)
    concepts, state = simplex(generator, count), np.asarray(generator.normal(size=(DIM,)))
    profile, items = np.asarray(concepts.mean(axis=0)), generator.normal(size=(4, DIM))
    before = state + profile @ HEAD.pull
    query = (before - before.mean()) / np.sqrt(before.var() + HEAD.epsilon) * HEAD.weight + HEAD.bias
    shares = query_shares(HEAD, profile, state, items)
    np.testing.assert_allclose(shares.concepts.sum(axis=1) + shares.state + shares.norm, items @ query, atol=1e-9)
    parts = interest_parts(concepts)
    np.testing.assert_allclose(parts.sum(axis=0), profile, atol=1e-12)
    by_event = over_events(shares.concepts, parts)
    np.testing.assert_allclose(by_event.sum(axis=1), shares.concepts.sum(axis=1), atol=1e-9)


def test_no_events_have_no_parts() -> None:
    """Without events there are no parts, and nothing is divided by zero."""
    assert interest_parts(np.zeros((0, 3), np.float32)).shape == (0, 3)
    assert over_events(np.zeros((2, 3)), np.zeros((0, 3))).shape == (2, 0)


def test_what_is_missing_is_added_in_equal_parts() -> None:
    """Effects are moved alike, until they sum to what they should."""
    found = summing_to(np.array([6.0, 1.0]), np.array([[1.0, 2.0], [0.0, 3.0]]))
    np.testing.assert_allclose(found, [[2.5, 3.5], [-1.0, 2.0]])


def test_a_head_is_read_as_it_was_written(tmp_path: Path) -> None:
    """What `save` writes `load` reads; a head of other sizes is refused, and a missing one says what to do."""
    HEAD.save(tmp_path / "query.npz")
    found = QueryHead.load(tmp_path / "query.npz", N_CONCEPTS, DIM)
    np.testing.assert_array_equal(found.pull, HEAD.pull)
    assert found.epsilon == HEAD.epsilon
    with pytest.raises(ArtefactError, match="does not fit the refiner"):
        QueryHead.load(tmp_path / "query.npz", N_CONCEPTS, DIM + 1)
    with pytest.raises(ArtefactError, match=r"earlier version.*Export the run again"):
        QueryHead.load(tmp_path / "none.npz", N_CONCEPTS, DIM)


def test_a_profile_alone_is_a_query_without_a_state() -> None:
    """It is what the head makes of the profile with a newest state of zeros, to the shares' sum."""
    generator = np.random.default_rng(0)
    profiles, items = simplex(generator, 3), generator.normal(size=(4, DIM))
    alone = profile_alone(HEAD, profiles)
    for profile, query in zip(profiles, alone, strict=True):
        shares = query_shares(HEAD, profile, np.zeros(DIM), items)
        np.testing.assert_allclose(items @ query, shares.concepts.sum(axis=1) + shares.norm, atol=1e-5)
