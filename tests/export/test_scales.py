"""The arithmetic of int8."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_export.scales import ChannelRange, activation_scale, migration, quantize_rows, symmetric_scales

GENERATOR = np.random.default_rng(0)
WEIGHT = GENERATOR.standard_normal((6, 4)).astype(np.float32)


def test_migration_is_the_published_formula() -> None:
    """Factors are max|x|^alpha / max|w|^(1 - alpha), up to one common factor."""
    activation = np.array([1, 2, 4, 8, 16, 64], np.float32)
    expected = activation**0.7 / np.abs(WEIGHT).max(axis=1) ** 0.3
    found = migration(activation, [WEIGHT], 0.7)
    np.testing.assert_allclose(found / found[0], expected / expected[0], rtol=1e-5)
    assert np.exp(np.log(found).mean()) == pytest.approx(1, rel=1e-5)


def test_migration_sees_every_reader() -> None:
    """The greatest weight of all layers that read an activation counts."""
    activation = np.ones(6, np.float32)
    both = migration(activation, [WEIGHT, 3 * WEIGHT], 0.5)
    np.testing.assert_allclose(both, migration(activation, [3 * WEIGHT], 0.5), rtol=1e-6)


def test_silent_channels_are_left_alone() -> None:
    """A channel that was never other than zero has the factor 1."""
    activation = np.array([0, 2, 4, 8, 16, 64], np.float32)
    found = migration(activation, [WEIGHT], 0.5)
    assert found[0] == 1
    assert np.isfinite(found).all()


def test_less_its_centre_a_channel_is_half_as_wide() -> None:
    """What a channel is away from its centre is half of its width, whichever side of zero it lies on."""
    low, high = np.array([-3, 20], np.float32), np.array([1, 24], np.float32)
    seen = ChannelRange(low, high, np.eye(2, dtype=np.float32))
    assert seen.centre.tolist() == [-1, 22]
    assert seen.absmax(seen.centre).tolist() == [2, 2]
    assert seen.absmax(np.zeros(2, np.float32)).tolist() == [3, 24]
    scale, zero = activation_scale(seen, seen.centre, np.ones(2, np.float32))
    assert float(scale) == pytest.approx(4 / 255)
    assert int(zero) == 128


@given(st.floats(-50, 50), st.floats(0, 50))
def test_zero_is_exact(low: float, width: float) -> None:
    """Zero becomes the zero point, and the whole range fits into a byte, wherever the range lies."""
    seen = ChannelRange(np.array([low], np.float32), np.array([low + width], np.float32), np.ones((1, 1), np.float32))
    scale, zero = activation_scale(seen, np.zeros(1, np.float32), np.ones(1, np.float32))
    codes = np.rint(np.array([low, 0, low + width]) / scale) + zero
    assert codes[1] == zero
    assert codes.min() >= -1
    assert codes.max() <= 256


def test_the_greatest_becomes_127() -> None:
    """Each column, or row, has the step that maps its greatest weight to 127; one of zeros has the step 1."""
    np.testing.assert_allclose(np.abs(WEIGHT).max(axis=0) / symmetric_scales(WEIGHT, axis=0), 127, rtol=1e-6)
    np.testing.assert_allclose(np.abs(WEIGHT).max(axis=1) / symmetric_scales(WEIGHT, axis=1), 127, rtol=1e-6)
    assert symmetric_scales(np.zeros((3, 2), np.float32), axis=0).tolist() == [1, 1]


def test_rows_have_a_scale_each() -> None:
    """A small row keeps its digits beside a large one, and a row of zeros stays zero."""
    table = np.array([[1000, 500], [0.001, 0.0005], [0, 0]], np.float32)
    integers, scales = quantize_rows(table)
    np.testing.assert_allclose(integers * scales[:, None], table, rtol=0.01)
