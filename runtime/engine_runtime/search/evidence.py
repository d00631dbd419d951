"""What each event of a history adds to an item's score beside the query: likeness of texts, and counted successions.

The sums of `engine_runtime.search.fusion`, one user at a time and event by event. Knows item numbers and vectors; knows
nothing of users or names.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.run import Fusion
from engine_runtime.search.successors import SuccessorTable

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.integer]


def text_shares(history: Numbers, items: Numbers, directions: Floats, fusion: Fusion) -> Doubles:
    """``text_weight * <m, y>`` by event.

    Parameters
    ----------
    history
        [H] items of the user's events, oldest first.
    items
        [n] items that are scored, all different.
    directions
        float32 [all items, w]: unit directions of texts.
    fusion
        Its weight, decay and number of newest events.

    Returns
    -------
    float64 [n, H]
    """
    factors = _decays(len(history), fusion.text_decay, fusion.n_events)
    likeness = directions[items].astype(np.float64) @ directions[history].astype(np.float64).T
    return np.asarray(likeness * (fusion.text_weight * factors / max(factors.sum(), 1e-30)))


def rule_shares(history: Numbers, items: Numbers, table: SuccessorTable, fusion: Fusion) -> Doubles:
    """``weight * log(1 + rule / floor)`` by event: each has of it what it has of the rule.

    Parameters
    ----------
    history, items, fusion
        As in `text_shares`; of a history that is not empty, and whose items the table has rows of.
    table
        The successor table.

    Returns
    -------
    float64 [n, H]
    """
    counts = np.zeros((len(items), len(history)))
    newest = slice(max(0, len(history) - fusion.n_events), None)
    counts[:, newest] = _decays(len(history), fusion.decay, fusion.n_events)[newest] * _entries(
        table, history[newest], items
    )
    rule = counts.sum(axis=1, keepdims=True)
    score = fusion.weight * np.log1p(rule / fusion.floor)
    return np.asarray(counts * np.divide(score, rule, out=np.zeros_like(rule), where=rule > 0))


def start_share(items: Numbers, table: SuccessorTable, fusion: Fusion) -> Doubles:
    """``log(1 + rule / floor)`` of the start row: float64 [n]; the whole score of a user without a query."""
    counts = _entries(table, np.array([table.start_row]), items)
    return np.asarray(np.log1p(counts.sum(axis=1) / fusion.floor))


def _decays(length: int, decay: float, n_events: int) -> Doubles:
    """Weight of each event, oldest first: 1 for the newest, 0 from the n-th on."""
    age = np.arange(length)[::-1]
    return np.where(age < n_events, decay ** age.astype(np.float64), 0.0)


def _entries(table: SuccessorTable, rows: Numbers, items: Numbers) -> Doubles:
    """What the table has for each item in each of some rows: float64 [items, rows]."""
    which, found, weights = table.lookup(rows.astype(np.int64))
    order = np.argsort(items, kind="stable")
    place = np.searchsorted(items[order], found)
    there = place < len(items)
    there[there] = items[order][place[there]] == found[there]
    entries = np.zeros((len(items), len(rows)))
    np.add.at(entries, (order[place[there]], which[there]), weights[there])
    return entries
