"""Rounding with the error compensated."""

from __future__ import annotations

import numpy as np
import pytest

from engine_export import rounding
from engine_export.rounding import compensated
from engine_export.scales import symmetric_scales

GENERATOR = np.random.default_rng(3)
WEIGHT = GENERATOR.standard_normal((40, 12)).astype(np.float32)
SCALES = symmetric_scales(WEIGHT, axis=0) * 16  # a coarse step, so that rounding matters


def nearest() -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.asarray(np.clip(np.rint(WEIGHT / SCALES), -127, 127), np.int8)


def test_independent_inputs_get_the_nearest_integers() -> None:
    """Where inputs do not go together, nothing can be compensated, however unequal they are."""
    for powers in (np.ones(40), np.arange(1, 41), np.where(np.arange(40) % 2, 0, 5)):
        assert np.array_equal(compensated(WEIGHT, SCALES, np.diag(powers.astype(np.float32))), nearest())


def test_products_change_less_than_by_nearest_rounding() -> None:
    """On inputs that go together, the error of the product is well under that of nearest rounding."""
    inputs = GENERATOR.standard_normal((500, 8)) @ GENERATOR.standard_normal((8, 40))
    inputs += 0.1 * GENERATOR.standard_normal(inputs.shape)
    found = compensated(WEIGHT, SCALES, (inputs.T @ inputs).astype(np.float32))
    errors = [np.square(inputs @ (integers * SCALES - WEIGHT)).mean() for integers in (found, nearest())]
    assert errors[0] < 0.5 * errors[1]
    assert found.dtype == np.int8
    assert np.abs(found).max() <= 127


def test_the_block_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks only put work off: whatever their size, the integers are the same."""
    inputs = GENERATOR.standard_normal((200, 40)) @ GENERATOR.standard_normal((40, 40))
    moments = (inputs.T @ inputs).astype(np.float32)
    whole = compensated(WEIGHT, SCALES, moments)
    monkeypatch.setattr(rounding, "BLOCK", 7)
    assert np.array_equal(compensated(WEIGHT, SCALES, moments), whole)


def test_silent_inputs_are_harmless() -> None:
    """Inputs that were never other than zero leave the others as they would be without them."""
    inputs = GENERATOR.standard_normal((300, 40)).astype(np.float32)
    inputs[:, 30:] = 0
    found = compensated(WEIGHT, SCALES, inputs.T @ inputs)
    alone = compensated(WEIGHT[:30], SCALES, inputs[:, :30].T @ inputs[:, :30])
    assert (found[:30] == alone).mean() > 0.98  # the damping differs by a little
    assert np.array_equal(compensated(WEIGHT, SCALES, np.zeros((40, 40), np.float32)), nearest())
