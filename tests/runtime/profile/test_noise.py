"""Noise that keeps a promise."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from end_to_end.distinguishing import answers, audit, judge
from engine_runtime.profile.noise import (
    GRID,
    SENSITIVITY,
    bounded,
    gaussian_sigma,
    noisy,
    normals,
    perturbed,
    response,
    spent_delta,
    to_simplex,
)


def seeded(seed: int = 0) -> Callable[[int], bytes]:
    """Random bytes that repeat."""
    return np.random.default_rng(seed).bytes


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0, 4.0, 16.0, 64.0, 500.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-6, 1e-3])
def test_sigma_is_the_least_that_keeps_the_promise(epsilon: float, delta: float) -> None:
    """At sigma the promise is kept, a thousandth below it it is broken."""
    sigma = gaussian_sigma(epsilon, delta)
    assert spent_delta(epsilon, sigma) <= delta
    assert spent_delta(epsilon, sigma * 0.999) > delta


def test_sigma_beats_the_classical_formula() -> None:
    """The exact deviation is below sqrt(2 ln(1.25 / delta)) D / epsilon (Dwork and Roth 2014, appendix A)."""
    for epsilon in (0.1, 0.5, 0.99):
        classical = math.sqrt(2 * math.log(1.25 / 1e-6)) * SENSITIVITY / epsilon
        assert 0.4 * classical < gaussian_sigma(epsilon, 1e-6) < classical


def test_the_formula_is_the_integral() -> None:
    """Delta is the integral of what one density exceeds e^epsilon times the other by, worked out on a grid."""
    epsilon, sigma = 1.0, 2.0
    x = np.linspace(-30, 30, 2_000_001)
    one, other = (np.exp(-((x - place) ** 2) / (2 * sigma**2)) for place in (SENSITIVITY, 0.0))
    excess = np.maximum(one - math.exp(epsilon) * other, 0) / (sigma * math.sqrt(2 * math.pi))
    assert spent_delta(epsilon, sigma) == pytest.approx(excess.sum() * (x[1] - x[0]), rel=1e-5)


def test_random_bytes_become_normal_numbers() -> None:
    """Mean, deviation, tails and independence are those of the standard normal; an odd count is no trouble."""
    drawn = normals((200_001,), seeded())
    assert abs(drawn.mean()) < 0.01
    assert drawn.std() == pytest.approx(1, abs=0.01)
    assert (np.abs(drawn) > 1.96).mean() == pytest.approx(0.05, abs=0.003)
    assert abs(np.corrcoef(drawn[:100_000], drawn[100_000:200_000])[0, 1]) < 0.01


def test_bytes_of_zeros_are_no_trouble() -> None:
    """The smallest number that bytes can give has a finite logarithm."""
    assert np.isfinite(normals((4,), bytes)).all()


def test_the_sensitivity_is_enforced() -> None:
    """Whatever comes in, two rows are no further apart than two corners."""
    given = np.array([[2.0, 0.0], [0.0, 5.0], [-1.0, 0.5], [np.nan, np.inf], [0.0, 0.0], [0.3, 0.7]])
    kept = bounded(given)
    distances = np.linalg.norm(kept[:, None] - kept[None], axis=2)
    assert distances.max() <= SENSITIVITY
    assert kept[5].tolist() == [0.3, 0.7]
    assert kept[4].tolist() == [0.0, 0.0]


def test_noise_has_its_deviation_and_no_last_bits() -> None:
    """Each number gets noise of deviation sigma; the sum lies on a grid."""
    profiles = np.full((2000, 50), 0.02)
    found = perturbed(profiles, 0.7, seeded())
    assert (found - profiles).std() == pytest.approx(0.7, rel=0.01)
    assert np.array_equal(found / GRID, np.rint(found / GRID))


def test_the_simplex_has_the_nearest_point() -> None:
    """The projection is on the simplex, leaves its points alone, and no point nearby is nearer."""
    generator = np.random.default_rng(1)
    points = generator.normal(0, 1, (20, 7))
    found = to_simplex(points)
    assert np.allclose(found.sum(axis=1), 1)
    assert found.min() >= 0
    assert np.allclose(to_simplex(found), found)
    others = generator.dirichlet(np.full(7, 0.3), 5000)
    for point, nearest in zip(points, found, strict=True):
        assert np.linalg.norm(others - point, axis=1).min() >= np.linalg.norm(nearest - point)


def test_noisy_profiles_are_profiles() -> None:
    """A noisy row is a distribution, of a user without events too; little noise leaves it where it was."""
    profiles = np.random.default_rng(0).dirichlet(np.ones(9), 30).astype(np.float32)
    profiles[4] = 0
    found = noisy(profiles, "gaussian", 1.0, 3.0, seeded())
    assert found.dtype == np.float32
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
    near = noisy(profiles[:4], "gaussian", 1.0, 1e-6, seeded())
    assert np.allclose(near, profiles[:4], atol=1e-4)


def test_the_operating_system_is_asked() -> None:
    """Without a source of bytes, two releases of one profile differ."""
    profiles = np.full((2, 4), 0.25)
    assert not np.array_equal(noisy(profiles, "gaussian", 1.0, 1.0), noisy(profiles, "gaussian", 1.0, 1.0))


def test_responses_are_true_as_often_as_they_may_be() -> None:
    """The strongest concept is told with e^epsilon / (e^epsilon + C - 1), the others alike, from nothing all alike."""
    epsilon, n_concepts, count = 2.0, 5, 200_000
    profiles = np.zeros((count, n_concepts))
    profiles[:, 3] = 0.6
    profiles[:, 1] = 0.4
    told = noisy(profiles, "response", epsilon, 0.0, seeded()).mean(axis=0)
    whole = math.exp(epsilon) + n_concepts - 1
    assert told[3] == pytest.approx(math.exp(epsilon) / whole, abs=0.005)
    assert told[[0, 1, 2, 4]] == pytest.approx([1 / whole] * 4, abs=0.005)
    silent = response(np.zeros((count, n_concepts)), epsilon, seeded(1)).mean(axis=0)
    assert silent == pytest.approx([0.2] * n_concepts, abs=0.005)


def test_releases_cannot_be_told_apart_better_than_promised() -> None:
    """The best test on the worst pair proves most of the epsilon that is stated, and not more."""
    bound = audit(1.0, 1e-3, 300_000, entropy=seeded())
    assert 0.75 < bound.found <= bound.stated
    answered = judge(answers(2.0, 16, seeded()), 2.0, 0.0, 100_000)
    assert 1.6 < answered.found <= 2.0


def test_too_little_noise_is_found() -> None:
    """Half the noise breaks the promise so that the same test proves it."""
    assert audit(1.0, 1e-3, 100_000, factor=0.5, entropy=seeded()).broken
