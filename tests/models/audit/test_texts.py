"""Own items found from vectors."""

from __future__ import annotations

import numpy as np

from audited import Audited
from engine_models.audit.released import Release
from engine_models.audit.subjects import choose_subjects
from engine_models.audit.texts import find_texts, in_history, item_profiles, nearest, stand_ins
from engine_runtime.data.histories import histories_from


def test_the_nearest_come_first_and_have_a_text() -> None:
    """Items without a text are not found, however near."""
    items = np.array([[1, 0], [0.9, 0], [0.5, 0], [0, 1]], np.float32)
    told = np.array([False, True, True, True])
    assert nearest(np.array([[1, 0.1]], np.float32), items, told).tolist() == [[1, 2, 3]]


def test_a_hit_is_in_the_own_history() -> None:
    """An item of another user's history is none."""
    lists = np.array([[1, 2], [1, 2]])
    assert in_history(lists, histories_from([[2, 5], [0]])).tolist() == [[0, 1], [0, 0]]


def test_nobody_stands_in_for_themselves() -> None:
    """Each user has another's vector, of one with as long a history, and each vector is used once."""
    lengths = np.repeat([3, 9, 30], 10)
    other = stand_ins(lengths, 0)
    assert np.array_equal(np.sort(other), np.arange(30))
    assert not (other == np.arange(30)).any()
    assert (lengths[other] == lengths).sum() == 27


def test_texts_are_found_from_whole_vectors(audited: Audited) -> None:
    """From the part of the query that is made of texts, own texts are found far more often than by chance."""
    release = Release.open(audited.output.root)
    subjects = choose_subjects(audited.engine(), audited.dataset, release, None, 200, 0)
    figures = list(find_texts(subjects, item_profiles(subjects.engine), 0))
    found = {(figure.column, figure.measure): figure for figure in figures}
    assert {column for column, _ in found} == {"concepts", "query", "query, text part"}
    figure = found["query, text part", "hit@1"]
    assert figure.value is not None
    assert figure.chance is not None
    assert figure.value > figure.chance + 0.1
    assert figure.verdict != "like chance"


def test_an_items_profile_is_that_of_a_history_of_it(audited: Audited) -> None:
    """Asked item by item, the engine says the same."""
    engine = audited.engine()
    alone = engine.profile(histories_from([[7]], types=[[1]])).concepts[0]
    assert np.allclose(item_profiles(engine)[7], alone, atol=1e-6)
