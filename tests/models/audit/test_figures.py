"""Words for figures, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from engine_models.audit.figures import LEAKS, Line, area_verdict, rate_verdict

LINE = Line("texts", "texts", "query", "hit@1")


@pytest.mark.parametrize(
    ("low", "word"), [(0.49, "like chance"), (0.5, "like chance"), (0.51, "leaks"), (0.9, "identifies")]
)
def test_an_area_is_judged_by_its_low_end(low: float, word: str) -> None:
    """Only an interval that leaves out a half counts, and only one above .9 identifies."""
    assert area_verdict(low) == word


@pytest.mark.parametrize(
    ("gained", "low", "chance", "word"),
    [
        (0.0, 0.99, 0.5, "like chance"),
        (0.01, 0.6, 0.5, "leaks"),
        (0.01, 0.75, 0.5, "identifies"),
        (0.3, 0.5, 0.0, "identifies"),
        (0.3, 0.49, 0.0, "leaks"),
    ],
)
def test_a_rate_is_judged_by_what_chance_has_left(gained: float, low: float, chance: float, word: str) -> None:
    """A rate identifies where half of what chance misses is found, whatever chance is."""
    assert rate_verdict(gained, low, chance) == word


def test_a_rate_is_compared_user_by_user() -> None:
    """A small gain that each user has counts, where the intervals of the two rates overlap."""
    chances = np.random.default_rng(0).random(200)
    figure = LINE.rate(chances + 0.01, chances, 0)
    assert figure.low is not None
    assert figure.chance is not None
    assert figure.low < figure.chance
    assert figure.verdict == "leaks"
    assert LINE.rate(chances, chances, 0).verdict == "like chance"


def test_a_count_of_none_is_no_leak() -> None:
    """What is not there is said so, what is there has the word that it was given."""
    assert LINE.count(0, 10, LEAKS).verdict == "none found"
    assert LINE.count(1, 10, LEAKS).verdict == "leaks"


def test_what_was_not_measured_has_no_number() -> None:
    """No figure is made up."""
    figure = LINE.unmeasured()
    assert (figure.value, figure.low, figure.chance, figure.verdict) == (None, None, None, "not measured")
