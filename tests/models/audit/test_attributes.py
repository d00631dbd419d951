"""Attributes that vectors hold, and attributes that they do not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from engine_models.audit.attributes import attributes_of, probe_attributes
from engine_runtime.errors import InputError, UsageError

USERS = pa.table(
    {
        "sex": ["f", "m"] * 60,
        "rare": ["x"] + ["y"] * 119,
        "code": [f"c{user}" for user in range(120)],
    }
)


def test_attributes_of_few_values_are_audited() -> None:
    """What tells every user from every other one, or nobody from anybody, is left out if it is not named."""
    assert list(attributes_of(USERS, USERS.column_names, ())) == ["sex"]
    with pytest.raises(InputError, match="'rare' has 1 values"):
        attributes_of(USERS, USERS.column_names, ["rare"])
    with pytest.raises(UsageError, match="no attribute shoe of users; it has: sex, rare, code"):
        attributes_of(USERS, USERS.column_names, ["shoe"])


def test_a_planted_attribute_leaks_and_noise_does_not() -> None:
    """The column that holds it gives it away, alone and beside noise; noise does not."""
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 400)
    noise = generator.normal(size=(400, 6)).astype(np.float32)
    planted = np.stack((truth, 1 - truth), axis=1).astype(np.float32)
    spaces = {"concepts": ("concepts",), "query": ("query",), "both": ("concepts", "query")}
    figures = list(probe_attributes({"concepts": planted, "query": noise}, spaces, {"sex": truth}, 0))
    found = {(figure.column, figure.measure): figure for figure in figures}
    assert len(found) == 6
    for (column, _), figure in found.items():
        assert figure.verdict == ("like chance" if column == "query" else "identifies")
        assert figure.n == 133
    assert "2 values" in figures[0].note


def test_too_few_users_are_not_measured() -> None:
    """Users without the attribute or without a vector are not counted."""
    vectors = np.ones((100, 3), np.float32)
    vectors[:20] = np.nan
    truth = np.where(np.arange(100) < 60, np.arange(100) % 2, -1)
    (figure,) = probe_attributes({"query": vectors}, {"query": ("query",)}, {"sex": truth}, 0)
    assert figure.verdict == "not measured"
    assert figure.note.startswith("40 users")
