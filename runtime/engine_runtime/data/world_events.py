"""The events of a made-up shop: how long histories are, which items follow each other, and when.

Knows chance; knows nothing of words or files. `engine_runtime.data.world` describes the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from engine_runtime.data.world import EVENT_STREAM, SERIES, USER_STREAM, Ints, World, skewed
from engine_runtime.data.world_items import Catalogue, numbered, word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_EVENTS = 1_000_000
SPREAD_OF_LENGTHS, SPREAD_OF_GAPS = 1.1, 2.0
GOES_ON, ANY_KIND = 0.35, 0.1
INTERESTS = (0.6, 0.9, 1.0)  # cumulative
TYPES = ("view", "cart", "buy")
TYPE_SHARES = (0.8, 0.92, 1.0)  # cumulative
BOUGHT = 2
NEW_YEAR, YEAR_SECONDS = 1_704_067_200, 366 * 86_400  # 2024, in UTC


def history_lengths(world: World) -> Ints:
    """Events of each user: int64 [users], each at least 1, together exactly those of the world."""
    drawn = world.generator(USER_STREAM).normal(0.0, SPREAD_OF_LENGTHS, world.n_users)
    further = np.cumsum(np.exp(drawn))
    ends = np.floor(further * ((world.n_events - world.n_users) / further[-1])).astype(np.int64)
    ends[-1] = world.n_events - world.n_users  # whatever the rounding made of it
    lengths: Ints = 1 + np.diff(ends, prepend=0)
    return lengths


def blocks_of_users(lengths: Ints) -> Iterator[tuple[int, Ints]]:
    """Cut users into blocks of about `BLOCK_EVENTS`: the first of each, and the lengths of their histories."""
    block = (np.cumsum(lengths) - lengths) // BLOCK_EVENTS
    firsts = np.flatnonzero(np.diff(block, prepend=-1))
    for first, stop in zip(firsts, [*firsts[1:], len(lengths)], strict=True):
        yield int(first), lengths[first:stop]


def event_table(world: World, catalogue: Catalogue, number: int, first: int, lengths: Ints) -> pa.Table:
    """Events of the users from `first` on, in order of time."""
    generator = world.generator(EVENT_STREAM, number)
    users = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    items = draw_items(catalogue, generator, users, starts)
    times = draw_times(generator, users, starts)
    types = np.searchsorted(TYPE_SHARES, generator.random(len(users)), side="right")
    quantities = generator.geometric(0.8, len(users))
    order = np.argsort(times, kind="stable")
    users, items, types = users[order], items[order], types[order]
    unbought = types != BOUGHT
    return pa.table(
        {
            "user_id": numbered("u", first + users),
            "item_id": catalogue.ids(items),
            "type": word_of(TYPES, types),
            "time": times[order],
            "quantity": pa.array(quantities[order], mask=unbought),
            "price": pa.array(catalogue.prices[items], mask=unbought),
        }
    )


def draw_items(catalogue: Catalogue, generator: np.random.Generator, users: Ints, starts: Ints) -> Ints:
    """Item of each event.

    Parameters
    ----------
    catalogue
        Of the items.
    generator
        Where chance comes from.
    users
        int64 [events], ascending: the user of each, counted from 0.
    starts
        int64 [users]: each one's first event.

    Returns
    -------
    int64 [events]
    """
    count, n_kinds = len(users), catalogue.world.n_kinds
    interests = skewed(generator.random((len(starts), len(INTERESTS))), n_kinds)
    kinds = interests[users, np.searchsorted(INTERESTS, generator.random(count), side="right")]
    anywhere = generator.random(count) < ANY_KIND
    kinds[anywhere] = skewed(generator.random(int(anywhere.sum())), n_kinds)
    fresh = generator.random(count) >= GOES_ON
    fresh[starts] = True
    begun = np.maximum.accumulate(np.where(fresh, np.arange(count), 0))  # where the walk along a series began
    kinds = kinds[begun]
    sizes = catalogue.sizes(kinds)
    ranks = skewed(generator.random(count), sizes)[begun]
    base = ranks // SERIES * SERIES
    walked = base + (ranks - base + np.arange(count) - begun) % np.minimum(SERIES, sizes - base)
    items: Ints = walked * n_kinds + kinds
    return items


def draw_times(generator: np.random.Generator, users: Ints, starts: Ints) -> Ints:
    """Moment of each event, seconds since 1970, ascending for each user."""
    gaps = np.exp(generator.normal(0.0, SPREAD_OF_GAPS, len(users)))
    passed = np.cumsum(gaps)
    passed -= (passed[starts] - gaps[starts])[users]
    last = np.append(starts[1:], len(users)) - 1
    rest = np.exp(generator.normal(0.0, SPREAD_OF_GAPS, len(starts)))  # from the last event to the end of the year
    begin = generator.random(len(starts))
    share = passed / (passed[last] + rest)[users]
    moments: Ints = np.floor((begin[users] + (1 - begin[users]) * share) * YEAR_SECONDS).astype(np.int64)
    return NEW_YEAR + moments
