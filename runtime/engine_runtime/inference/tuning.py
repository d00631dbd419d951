"""The token budget that suits an encoder on this machine: measured on random tokens, chosen by a plain rule.

Knows encoders and clocks; knows nothing of files. A budget changes how long a batch takes, and no vector.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.inference.tokenizer import Tokens

CANDIDATES = (128, 192, 256, 384, 512, 768, 1024)
LENGTHS = (8, 16, 24, 32, 48, 64, 128)  # of titles, descriptions and reviews
ROUNDS = 5

# Rates this close together are one rate: the rest is the clock's.
EQUAL = 0.995


def choose_budget(rates: Mapping[int, Sequence[float]]) -> int:
    """The least budget whose median rate is within half a per cent of the greatest.

    A small batch takes less memory, ends sooner when a run is stopped, and leaves less to wait for at the end.

    Parameters
    ----------
    rates
        For each budget, tokens a second in several rounds.
    """
    medians = {budget: float(np.median(found)) for budget, found in rates.items()}
    return min(budget for budget, rate in medians.items() if rate >= EQUAL * max(medians.values()))


def measure_rates(
    encoder: TextEncoder,
    candidates: Sequence[int] = CANDIDATES,
    rounds: int = ROUNDS,
    clock: Callable[[], float] = time.process_time,
) -> dict[int, list[float]]:
    """Time candidate budgets in turn, so that what else the machine does falls on all of them.

    Parameters
    ----------
    encoder
        On a CPU; it runs in the calling thread alone.
    candidates
        Budgets to try.
    rounds
        Rates for each of them. A round before the first is not counted.
    clock
        CPU seconds of this process: unlike the time of day, they do not count other programs' work.

    Returns
    -------
    dict of lists
        For each candidate, tokens a second in each round; texts of each of `LENGTHS` have an equal share of the tokens.
    """
    lengths = sorted({min(length, encoder.info.max_tokens) for length in LENGTHS})
    rates: dict[int, list[float]] = {budget: [] for budget in candidates}
    for _ in range(rounds + 1):
        for budget, found in rates.items():
            found.append(_rate(encoder, budget, lengths, clock))
    return {budget: found[1:] for budget, found in rates.items()}


def _rate(encoder: TextEncoder, budget: int, lengths: Sequence[int], clock: Callable[[], float]) -> float:
    """Tokens a second at one budget, each length in a batch of its own."""
    seconds_a_token = []
    for length in lengths:
        rows = max(1, budget // length)
        ids = np.random.default_rng(length).integers(0, encoder.n_tokens, rows * length)
        tokens = Tokens(ids, np.arange(rows + 1) * length)
        began = clock()
        encoder.run(tokens, np.arange(rows))
        seconds_a_token.append(max(clock() - began, 1e-9) / (rows * length))
    return 1 / float(np.mean(seconds_a_token))
