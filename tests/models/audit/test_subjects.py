"""Who is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audited import KEY, Audited, ingest_customers, renamed
from engine_models.audit.released import Release
from engine_models.audit.subjects import choose_subjects, load_engine
from engine_runtime.errors import InputError
from engine_runtime.serve.engine import Engine


def test_the_engine_makes_the_rows_again(audited: Audited) -> None:
    """What is released of a user is what the engine makes of the user's history."""
    release = Release.open(audited.output.root)
    subjects = choose_subjects(audited.engine(), audited.dataset, release, None, 50, 0)
    assert len(subjects) == 50
    served = subjects.served(subjects.histories)
    for name, vectors in subjects.released.items():
        assert np.allclose(vectors, served[name], atol=1e-5)


def test_pseudonyms_are_matched_with_their_key(audited: Audited, tmp_path: Path) -> None:
    """With the key the same users stand for the same rows; without it nobody is found."""
    release = Release.open(audited.rewritten(tmp_path / "renamed", renamed))
    plain = choose_subjects(audited.engine(), audited.dataset, Release.open(audited.output.root), None, 20, 0)
    found = choose_subjects(audited.engine(), audited.dataset, release, KEY, 20, 0)
    assert np.array_equal(found.rows, plain.rows)
    with pytest.raises(InputError, match="give --key"):
        choose_subjects(audited.engine(), audited.dataset, release, None, 20, 0)
    with pytest.raises(InputError, match="with this key"):
        choose_subjects(audited.engine(), audited.dataset, release, b"another", 20, 0)


def test_items_are_encoded_where_there_is_no_index(audited: Audited) -> None:
    """The vectors made of the texts are those of the index."""
    made = load_engine(Engine.load(audited.bundle.root, threads=1), audited.dataset)
    assert np.allclose(made.shelf.vectors, audited.engine().shelf.vectors, atol=1e-6)


def test_strangers_are_not_found(audited: Audited, tmp_path: Path) -> None:
    """A data set of other users is not what was served."""
    other = ingest_customers(tmp_path / "other", 500, 30)
    with pytest.raises(InputError, match="Give the data set that was served"):
        choose_subjects(audited.engine(), other, Release.open(audited.output.root), None, 20, 0)
