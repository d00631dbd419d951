"""Values of an attribute as classes to tell apart: values as they are, or bands of a number. Pure."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_runtime.errors import InputError

LEAST_USERS = 20
MOST_CLASSES = 50
MOST_NUMBERS = 12
BANDS = 5


@dataclass(frozen=True)
class Classes:
    """An attribute as classes.

    Attributes
    ----------
    names
        Of the classes.
    edges
        Bounds of bands; empty where a class is a value.
    numbers
        int64 [users]: class of each user, -1 for one whose attribute is missing or too rare to be learned.
    """

    names: tuple[str, ...]
    edges: tuple[float, ...]
    numbers: npt.NDArray[np.int64]


def classes_of(name: str, values: Sequence[str | None]) -> Classes:
    """Tell classes apart.

    Numbers of more than `MOST_NUMBERS` kinds, such as an age in years, become `BANDS` bands with about as many users
    in each. Everything else is taken as it is; a value of fewer than `LEAST_USERS` users is no class.

    Parameters
    ----------
    name
        Of the attribute, for the message.
    values
        Of each user; None where it is missing.

    Raises
    ------
    InputError
        There is nothing to tell apart, or too much.
    """
    known = [value for value in values if value is not None]
    numbers = _numbers(known)
    edges = _edges(numbers) if numbers is not None and len(set(known)) > MOST_NUMBERS else ()
    if numbers is not None and edges:
        places = np.full(len(values), -1, np.int64)
        places[[row for row, value in enumerate(values) if value is not None]] = np.searchsorted(
            edges, numbers, "right"
        )
        return Classes(_bands(edges), edges, places)
    counts = Counter(known)
    kept = sorted(value for value, count in counts.items() if count >= LEAST_USERS)
    if not 2 <= len(kept) <= MOST_CLASSES:
        raise InputError(
            f"the attribute '{name}' has {len(kept)} values of {LEAST_USERS} or more users; 2 to {MOST_CLASSES} can be "
            "learned. Leave it out of --labels, or group its values in the users' file."
        )
    place = {value: number for number, value in enumerate(kept)}
    places = np.array([-1 if value is None else place.get(value, -1) for value in values], np.int64)
    return Classes(tuple(kept), (), places)


def _numbers(values: Sequence[str]) -> npt.NDArray[np.float64] | None:
    try:
        numbers = np.array([float(value) for value in values])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _edges(numbers: npt.NDArray[np.float64]) -> tuple[float, ...]:
    inner = np.unique(np.quantile(numbers, np.arange(1, BANDS) / BANDS, method="higher"))
    return tuple(inner[inner > numbers.min()].tolist())


def _bands(edges: Sequence[float]) -> tuple[str, ...]:
    shown = [f"{edge:g}" for edge in edges]
    between = [f"{low} up to {high}" for low, high in itertools.pairwise(shown)]
    return (f"under {shown[0]}", *between, f"{shown[-1]} and over")
