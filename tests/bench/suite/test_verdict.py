"""Verdicts on numbers measured in rounds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from engine_bench.suite.verdict import LEAST, SAME, TOO_FEW, apart, direction, paired

PAIRS = 16


def drifting(seed: int, slower: float = 1.0) -> tuple[list[float], list[float]]:
    """Seconds of two builds in the same rounds: the machine drifts by a half, pairs are 3 % apart, some far off."""
    generator = np.random.default_rng(seed)

    def noise() -> npt.NDArray[np.float64]:
        return np.exp(0.015 * generator.standard_t(3, PAIRS))

    machine = np.exp(np.cumsum(generator.normal(0, 0.1, PAIRS)))
    return (machine * noise()).tolist(), (machine * noise() * slower).tolist()


def test_twenty_comparisons_of_a_build_with_itself_raise_one_alarm_at_most() -> None:
    """In each of ten twenties."""
    verdicts = [paired("seconds", *drifting(seed), LEAST).verdict for seed in range(200)]
    alarms = [sum(verdict != SAME for verdict in verdicts[start : start + 20]) for start in range(0, 200, 20)]
    assert max(alarms) <= 1


def test_a_build_that_takes_a_tenth_longer_is_found() -> None:
    """In 95 of 100 comparisons, though the machine drifts by more."""
    assert sum(paired("seconds", *drifting(seed, 1.1), LEAST).verdict == "slower" for seed in range(100)) >= 95


def test_what_could_have_been_found_is_told() -> None:
    """The wider the interval the larger; never below the size that counts."""
    quiet = paired("seconds", [1.0] * 8, [1.0] * 8, LEAST)
    noisy = paired("seconds", [1.0] * 8, [0.8, 1.2] * 4, LEAST)
    assert quiet.verdict == noisy.verdict == SAME
    assert quiet.findable == pytest.approx(LEAST)
    assert noisy.findable > 0.2


def test_a_small_difference_does_not_count() -> None:
    """Though it is there in every round."""
    assert paired("seconds", [1.0] * 8, [1.02] * 8, LEAST).verdict == SAME
    assert paired("seconds", [1.0] * 8, [1.02] * 8, 0.01).verdict == "slower"


def test_few_rounds_have_no_verdict() -> None:
    """Four agree too easily."""
    assert paired("seconds", [1.0] * 4, [2.0] * 4, LEAST).verdict == TOO_FEW


def test_things_measured_apart_are_compared_by_their_medians() -> None:
    """They may have another number of rounds; the noise of both is in the interval."""
    change = apart("users_per_second", [100.0, 101, 99, 100, 102], [80.0, 81, 79, 80, 82, 80], LEAST)
    assert change.ratio == pytest.approx(0.8)
    assert change.low < 0.8 < change.high
    assert change.verdict == "slower"


@pytest.mark.parametrize(
    ("figure", "more", "less"),
    [
        ("users_per_second", "faster", "slower"),
        ("cpu_seconds", "slower", "faster"),
        ("peak_bytes", "higher", "lower"),
    ],
)
def test_a_change_is_named_by_what_the_figure_measures(figure: str, more: str, less: str) -> None:
    """More users a second is faster, more seconds is slower, of other figures it is not known what is good."""
    assert (direction(figure, 1.1), direction(figure, 0.9)) == (more, less)


def test_ratios_need_numbers_above_nothing() -> None:
    """A time of 0 is a clock that did not run."""
    with pytest.raises(ValueError, match="above 0"):
        paired("seconds", [0.0], [1.0], LEAST)
    with pytest.raises(ValueError, match="above 0"):
        apart("seconds", [], [1.0], LEAST)
