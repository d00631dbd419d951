"""The refiner against the same sums in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny
from engine_runtime.data.histories import Histories, histories_from
from engine_runtime.data.inputs import ModelInputs, model_inputs
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.refiner import Refiner

N_ITEMS = 12
VECTORS = tiny.weights("items", N_ITEMS, tiny.SHAPE.dim)
EVENT = st.tuples(st.integers(0, N_ITEMS - 1), st.integers(0, 1), st.floats(1, 5, width=32), st.integers(0, 10**6))
USERS = st.lists(st.lists(EVENT, max_size=9), max_size=12)


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(tiny.refiner_graph(), tiny.SHAPE, threads=2)


def history(users: list[list[tuple[int, int, float, int]]]) -> Histories:
    """Histories of (item, type, value, time)."""
    return histories_from(
        [[item for item, _, _, _ in user] for user in users],
        types=[[kind for _, kind, _, _ in user] for user in users],
        values=[[value for _, _, value, _ in user] for user in users],
        times=[sorted(time for _, _, _, time in user) for user in users],
    )


def inputs_of(histories: Histories, max_events: int = tiny.SHAPE.max_events) -> ModelInputs:
    """What the refiner reads of them."""
    return model_inputs(histories, tiny.BUNDLE.value, tiny.BUNDLE.gap, max_events)


@given(USERS)
@settings(max_examples=40)
def test_users_are_refined_each_alone(refiner: Refiner, users: list[list[tuple[int, int, float, int]]]) -> None:
    """Queries and profiles are those of the formulas, in the order of the users, zero for those without events."""
    inputs = inputs_of(history(users))
    found = refiner.refine(inputs, VECTORS)
    assert found.query.shape == (len(users), tiny.SHAPE.dim)
    assert found.profile.shape == (len(users), tiny.SHAPE.n_concepts)
    for user in range(len(users)):
        events = slice(inputs.offsets[user], inputs.offsets[user + 1])
        if not len(inputs.items[events]):
            assert not found.query[user].any()
            assert not found.profile[user].any()
            continue
        read = (
            VECTORS[inputs.items[events]],
            inputs.types[events].tolist(),
            inputs.values[events],
            inputs.gaps[events],
        )
        query, concepts = tiny.refined(*read)
        assert np.allclose(found.query[user], query, atol=1e-5)
        assert np.allclose(found.profile[user], concepts.mean(axis=0), atol=1e-5)
        assert found.profile[user].sum() == pytest.approx(1, abs=1e-5)
        assert np.allclose(refiner.concepts(inputs, VECTORS, user), concepts, atol=1e-5)


def test_a_batch_changes_nothing(refiner: Refiner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user alone, in a crowd, and in batches of another size comes out the same within 1e-6."""
    histories = histories_from([[user % N_ITEMS] * (user % 7) for user in range(60)])
    crowd = refiner.refine(inputs_of(histories), VECTORS)
    monkeypatch.setattr(refiner, "_budget", 11)
    small = refiner.refine(inputs_of(histories), VECTORS)
    assert np.allclose(crowd.query, small.query, atol=1e-6)
    for user in (1, 20, 59):
        alone = refiner.refine(inputs_of(histories.take([user])), VECTORS)
        assert np.allclose(alone.query[0], crowd.query[user], atol=1e-6)
        assert np.allclose(alone.profile[0], crowd.profile[user], atol=1e-6)


def test_one_length_shares_a_batch(refiner: Refiner) -> None:
    """What the graph is fed has events first and histories second, and nothing is padded."""
    inputs = inputs_of(history([[(3, 1, 5.0, 7), (4, 0, 5.0, 90)], [(5, 1, 1.0, 3)], [(6, 0, 2.0, 1), (7, 1, 2.0, 2)]]))
    feed = refiner.feed(inputs, VECTORS, np.array([2, 0]))
    assert np.array_equal(feed["vectors"], VECTORS[[[6, 3], [7, 4]]])
    assert feed["types"].tolist() == [[0, 1], [1, 0]]
    assert feed["types"].dtype == np.int64
    assert np.array_equal(feed["values"][:, 1], inputs.values[:2])
    assert np.array_equal(feed["gaps"][:, 0], inputs.gaps[3:])


def test_a_graph_of_another_version_is_refused() -> None:
    """A graph that takes other inputs is not fed: the message names both."""
    with pytest.raises(ArtefactError, match=r"not gaps, types, values, vectors\. .*Export the run again"):
        Refiner(tiny.encoder_graph(), tiny.SHAPE)


def test_long_histories_are_read_from_their_newest(refiner: Refiner) -> None:
    """Inputs longer than the model reads are cut on the left."""
    long = histories_from([list(range(9))])
    assert np.array_equal(
        refiner.refine(inputs_of(long, 100), VECTORS).query, refiner.refine(inputs_of(long.newest(5)), VECTORS).query
    )


@pytest.mark.parametrize("spoil", [float("nan"), float("inf")])
def test_no_nan_leaves(spoil: float) -> None:
    """A graph that gives a number that is not finite is refused."""
    broken = Refiner(tiny.refiner_graph(spoil=spoil), tiny.SHAPE)
    with pytest.raises(ArtefactError, match="not finite"):
        broken.refine(inputs_of(histories_from([[1, 2]])), VECTORS)
