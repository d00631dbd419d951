"""A shop that does not exist: how much of what is made, and the model that it follows.

Knows numbers and chance; knows nothing of words or files. What is made follows from a seed alone: each stream of
random numbers has its own generator.

The model
---------
**Items.** There are at most 64 *kinds* of things, all of one size, eight to a department. An item of a kind has a rank
there; eight neighbours in rank are a *series* of one brand, style, material and feature, each in another colour. The
title is made of these words and of what the department is for, 15 to 25 tokens as titles of real shops have, so a text
says the kind and the series. Ids are shuffled: they say nothing of rank or kind. Prices are log-normal around a price
of the kind.

**Popularity.** A kind's items are drawn with a probability that falls as 1 / (rank + 8), the law of Zipf and
Mandelbrot with exponent 1; kinds likewise as 1 / (kind + 8). With u uniform, rank = 8 ((1 + n / 8)^u - 1) is its
inverse distribution in closed form.

**Users.** A history has 1 event and a log-normal number of further ones (sigma 1.1: the mean is 1.8 times the
median), scaled so that all histories together have the events asked for. A user has three kinds of interest,
which are taken with .6, .3 and .1.

**Events.** Each event goes on in the series of the one before with probability .35, to the next item of it; else
it is an item of one of the user's interests (.9) or of any kind (.1). So there is something to learn of order, of
interest and of popularity, and a tenth that nobody can know. Types are view .8, cart .12 and buy .08; what was
bought has a quantity (geometric) and the item's price. Gaps between a user's events are log-normal (sigma 2): bursts
and long pauses, from a random moment of 2024 to its end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_runtime.errors import UsageError

KINDS = 64
SERIES = 8
FLATTENED = 8  # what is added to a rank: the most popular item is not the only one that is popular
ITEM_STREAM, USER_STREAM, EVENT_STREAM = range(3)  # random numbers of one are independent of the others

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """How much is made, and from which seed.

    Attributes
    ----------
    n_users, n_items, n_events
        At least 1 each, and at least one event a user.
    seed
        Any number that is not negative.
    """

    n_users: int
    n_items: int
    n_events: int
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        if min(self.n_users, self.n_items) < 1 or self.seed < 0:
            raise UsageError("users and items have to be at least 1, the seed at least 0.")
        if self.n_events < self.n_users:
            raise UsageError(
                f"{self.n_events:,} events were asked for {self.n_users:,} users: each user has at least one. Ask for "
                "more events or fewer users."
            )

    @property
    def n_kinds(self) -> int:
        """Kinds of things: one for each two series, as far as there are kinds."""
        return min(KINDS, -(-self.n_items // (2 * SERIES)))

    def generator(self, *stream: int) -> np.random.Generator:
        """Random numbers of one stream."""
        return np.random.default_rng([self.seed, *stream])


def skewed(chance: Floats, count: Ints | int) -> Ints:
    """Ranks below `count`, from uniform numbers: the inverse distribution of 1 / (rank + `FLATTENED`)."""
    ranks = FLATTENED * ((1 + np.asarray(count) / FLATTENED) ** chance - 1)
    cut: Ints = np.minimum(ranks.astype(np.int64), np.asarray(count) - 1)
    return cut
