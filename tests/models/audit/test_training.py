"""Users of the training, and others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audited import CUSTOMERS, Audited, ingest_customers
from engine_models.audit.training import _asked, compare_training, familiarity, not_asked
from engine_models.split import leave_one_out
from engine_runtime.data.histories import histories_from
from engine_runtime.data.stored import read_histories
from engine_runtime.errors import InputError

RANKABLE = np.ones(10, np.bool_)


def test_events_of_the_training_part_are_asked_for() -> None:
    """The two events held out are not, nor is a user's first one, for nothing is before it."""
    histories = histories_from([list(range(10)), [1, 2, 3, 4], [5]])
    asked = [(users.tolist(), events.tolist()) for users, events in _asked(leave_one_out(histories, [1.0], RANKABLE))]
    assert asked == [([0, 1], [7, 11]), ([0], [6]), ([0], [5]), ([0], [4]), ([0], [3])]


def test_familiarity_is_the_models_own_likelihood(audited: Audited) -> None:
    """Log-probabilities are negative, counts are not, and of whom nothing can be asked nothing is known."""
    engine = audited.engine()
    known = familiarity(engine, histories_from([[7, 8, 9, 10, 11], [7]], types=[[1] * 5, [1]]))
    assert known.model[0] < 0
    assert known.counted[0] >= 0
    assert np.isnan([known.model[1], known.counted[1]]).all()
    shelf, dim = engine.shelf, engine.info.shape.dim
    trained = np.flatnonzero(shelf.index.rankable & ~shelf.new)
    expected = []
    for items, target in (([7], 8), ([7, 8], 9)):
        query = engine.profile(histories_from([items], types=[[1] * len(items)])).query[0, :dim].astype(np.float64)
        logits = shelf.vectors[trained].astype(np.float64) @ query
        expected.append(query @ shelf.vectors[target] - np.log(np.exp(logits).sum()))
    assert known.model[0] == pytest.approx(np.mean(expected), abs=1e-4)


def test_users_nobody_has_trained_on_are_like_outsiders(audited: Audited, tmp_path: Path) -> None:
    """A bundle with random weights knows neither group better; users of both data sets are no outsiders."""
    outsiders = ingest_customers(tmp_path / "outsiders", CUSTOMERS - 20, 80)
    members = read_histories(audited.dataset)
    figures = list(compare_training(audited.engine(), members, outsiders, audited.dataset, 100, 0))
    assert [figure.measure for figure in figures] == ["AUC, likelihood", "AUC, counted pairs"]
    for figure in figures:
        assert figure.value == pytest.approx(0.5, abs=0.15)
        assert 40 < int(figure.note.split()[0]) <= 60


def test_there_have_to_be_outsiders(audited: Audited) -> None:
    """The users themselves are refused; without outsiders nothing is said."""
    members = read_histories(audited.dataset)
    with pytest.raises(InputError, match="no outsiders"):
        list(compare_training(audited.engine(), members, audited.dataset, audited.dataset, 9, 0))
    (figure,) = not_asked()
    assert figure.verdict == "not measured"
