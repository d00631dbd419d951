"""A shop that does not exist, at any size: events, items and a ``dataset.toml``, from a seed alone.

For measuring ingest, indexing and serving where no real log of that size may be had. What is held in memory is
one block of events and a few numbers for each user and item. One seed gives the same bytes on one machine with
the same versions of NumPy and pyarrow.

The model
---------
**Items.** There are at most 64 *kinds* of things, all of one size. An item of a kind has a rank there; eight
neighbours in rank are a *series* of one brand, style and material, each in another colour. The title is made of
these words, so a text says the kind and the series. Ids are shuffled: they say nothing of rank or kind. Prices
are log-normal around a price of the kind.

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

A file holds the events of a block of users in order of time, as a log does.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_runtime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG_FILE = "dataset.toml"
ITEMS_FILE = "items.parquet"
EVENTS_FOLDER = "events"
BLOCK_EVENTS = 1_000_000
BLOCK_ITEMS = 65_536
FLATTENED = 8  # what is added to a rank: the most popular item is not the only one that is popular
SERIES = 8
SPREAD_OF_LENGTHS, SPREAD_OF_GAPS, SPREAD_OF_PRICES = 1.1, 2.0, 0.5
GOES_ON, ANY_KIND = 0.35, 0.1
INTERESTS = (0.6, 0.9, 1.0)  # cumulative
TYPES = "view cart buy"
TYPE_SHARES = (0.8, 0.92, 1.0)  # cumulative
BOUGHT = 2
NEW_YEAR, YEAR_SECONDS = 1_704_067_200, 366 * 86_400  # 2024, in UTC
ITEM_STREAM, USER_STREAM, EVENT_STREAM = range(3)  # random numbers of one are independent of the others

THINGS = """
armchair backpack basin blanket blender book boots bottle bowl bracelet broom brush bucket camera candle carpet
chair clock coat coffee cup curtain desk dress drill drum fan fork gloves guitar hammer hat
helmet jacket jar kettle keyboard knife ladder lamp mirror mug necklace notebook oven pan pen piano
pillow plate puzzle racket radio ring rope scarf shelf shirt soap sofa speaker table teapot tent
"""
STYLES = """
antique bold classic compact cosy elegant everyday festive folding gentle handmade heavy light lively modern neat
plain quiet round rustic simple slim smart soft solid square tall tiny travel vintage warm wide
"""
MATERIALS = "bamboo brass ceramic copper cotton glass leather linen marble oak paper silk steel stone velvet wool"
COLOURS = "black white red blue green yellow purple orange"
SYLLABLES = "ba de fi go hu ka le mi no pu ra se ti vo wu za"
BRANDS = 16  # of each kind

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
        """Kinds of things: one for each two series, as far as there are words."""
        return min(len(THINGS.split()), -(-self.n_items // (2 * SERIES)))

    def generator(self, *stream: int) -> np.random.Generator:
        """Random numbers of one stream."""
        return np.random.default_rng([self.seed, *stream])


def generate(
    world: World, out: Path, *, replace: bool = False, advance: Callable[[int], None] = lambda events: None
) -> Path:
    """Write a made-up shop.

    Parameters
    ----------
    world
        How much of what.
    out
        Folder for ``events/``, ``items.parquet`` and the ``dataset.toml`` that describes them, which is written last.
    replace
        Whether files that are in `out` already may be replaced.
    advance
        Called with the number of events written, after each block.

    Returns
    -------
    Path
        The ``dataset.toml``, ready for ``engine data ingest --config``.

    Raises
    ------
    UsageError
        `out` holds such files already.
    """
    present = [name for name in (EVENTS_FOLDER, ITEMS_FILE, CONFIG_FILE) if (out / name).exists()]
    if present and not replace:
        raise UsageError(f"{out / present[0]} exists already. Name another folder, or add --force to replace it.")
    (out / CONFIG_FILE).unlink(missing_ok=True)
    if EVENTS_FOLDER in present:
        shutil.rmtree(out / EVENTS_FOLDER)
    (out / EVENTS_FOLDER).mkdir(parents=True)
    catalogue = Catalogue(world)
    with pq.ParquetWriter(out / ITEMS_FILE, catalogue.rows(0, 0).schema, compression="zstd") as writer:
        for start in range(0, world.n_items, BLOCK_ITEMS):
            writer.write_table(catalogue.rows(start, min(start + BLOCK_ITEMS, world.n_items)))
    for number, (first, lengths) in enumerate(_blocks(history_lengths(world))):
        table = _events(world, catalogue, number, first, lengths)
        path = out / EVENTS_FOLDER / f"part-{number:05d}.parquet"
        pq.write_table(table, path, compression="zstd", compression_level=1)
        advance(len(table))
    content = (resources.files("engine_runtime.data") / "generated.toml").read_text(encoding="utf-8")
    (out / CONFIG_FILE).write_text(content, encoding="utf-8")
    return out / CONFIG_FILE


class Catalogue:
    """The items of a world. Item ``rank * n_kinds + kind`` is the one of that rank among its kind."""

    def __init__(self, world: World) -> None:
        self.world = world
        generator = world.generator(ITEM_STREAM)
        self.numbers = generator.permutation(world.n_items)  # what stands in the id of each item
        self.items = np.argsort(self.numbers)
        usual = np.exp(generator.normal(3.0, 1.0, world.n_kinds))
        own = np.exp(generator.normal(0.0, SPREAD_OF_PRICES, world.n_items))
        self.prices = np.round(np.maximum(usual[np.arange(world.n_items) % world.n_kinds] * own, 0.5), 2)

    def ids(self, items: Ints) -> pa.Array:
        """Ids of items, as ``i0000042``."""
        return _numbered("i", self.numbers[items])

    def sizes(self, kinds: Ints) -> Ints:
        """Items of each of `kinds`."""
        return (self.world.n_items - 1 - kinds) // self.world.n_kinds + 1

    def rows(self, start: int, stop: int) -> pa.Table:
        """Rows of the item file, in order of the ids."""
        items = self.items[start:stop]
        kind, rank = items % self.world.n_kinds, items // self.world.n_kinds
        series = rank // SERIES
        thing, style = _words(THINGS, kind), _words(STYLES, series // BRANDS + series)
        material, colour = _words(MATERIALS, series // BRANDS + kind), _words(COLOURS, rank)
        brand = _words(" ".join(_brands()), kind * BRANDS + series % BRANDS)
        model = pa.array(series).cast(pa.string())
        title = pc.binary_join_element_wise(brand, style, material, thing, model, colour, " ")
        columns = [self.ids(items), title, brand, thing, pa.array(self.prices[items])]
        return pa.table(columns, names=["item_id", "title", "brand", "category", "price"])


def history_lengths(world: World) -> Ints:
    """Events of each user: int64 [users], each at least 1, together exactly those of the world."""
    drawn = world.generator(USER_STREAM).normal(0.0, SPREAD_OF_LENGTHS, world.n_users)
    further = np.cumsum(np.exp(drawn))
    ends = np.floor(further * ((world.n_events - world.n_users) / further[-1])).astype(np.int64)
    ends[-1] = world.n_events - world.n_users  # whatever the rounding made of it
    lengths: Ints = 1 + np.diff(ends, prepend=0)
    return lengths


def _blocks(lengths: Ints) -> Iterator[tuple[int, Ints]]:
    """Cut users into blocks of about `BLOCK_EVENTS`: the first of each, and the lengths of their histories."""
    block = (np.cumsum(lengths) - lengths) // BLOCK_EVENTS
    firsts = np.flatnonzero(np.diff(block, prepend=-1))
    for first, stop in zip(firsts, [*firsts[1:], len(lengths)], strict=True):
        yield int(first), lengths[first:stop]


def _events(world: World, catalogue: Catalogue, number: int, first: int, lengths: Ints) -> pa.Table:
    """Events of the users from `first` on, in order of time."""
    generator = world.generator(EVENT_STREAM, number)
    users = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    items = draw_items(catalogue, generator, users, starts)
    times = _draw_times(generator, users, starts)
    types = np.searchsorted(TYPE_SHARES, generator.random(len(users)), side="right")
    quantities = generator.geometric(0.8, len(users))
    order = np.argsort(times, kind="stable")
    users, items, types = users[order], items[order], types[order]
    unbought = types != BOUGHT
    return pa.table(
        {
            "user_id": _numbered("u", first + users),
            "item_id": catalogue.ids(items),
            "type": _words(TYPES, types),
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
    interests = _skewed(generator.random((len(starts), len(INTERESTS))), n_kinds)
    kinds = interests[users, np.searchsorted(INTERESTS, generator.random(count), side="right")]
    anywhere = generator.random(count) < ANY_KIND
    kinds[anywhere] = _skewed(generator.random(int(anywhere.sum())), n_kinds)
    fresh = generator.random(count) >= GOES_ON
    fresh[starts] = True
    begun = np.maximum.accumulate(np.where(fresh, np.arange(count), 0))  # where the walk along a series began
    kinds = kinds[begun]
    sizes = catalogue.sizes(kinds)
    ranks = _skewed(generator.random(count), sizes)[begun]
    base = ranks // SERIES * SERIES
    walked = base + (ranks - base + np.arange(count) - begun) % np.minimum(SERIES, sizes - base)
    items: Ints = walked * n_kinds + kinds
    return items


def _draw_times(generator: np.random.Generator, users: Ints, starts: Ints) -> Ints:
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


def _skewed(chance: Floats, count: Ints | int) -> Ints:
    """Ranks below `count`, from uniform numbers: the inverse distribution of 1 / (rank + `FLATTENED`)."""
    ranks = FLATTENED * ((1 + np.asarray(count) / FLATTENED) ** chance - 1)
    cut: Ints = np.minimum(ranks.astype(np.int64), np.asarray(count) - 1)
    return cut


def _brands() -> list[str]:
    """A name for each brand of each kind: 64 times `BRANDS`."""
    syllables = SYLLABLES.split()
    return [
        (first + second + third).capitalize() for third in syllables[:4] for first in syllables for second in syllables
    ]


def _words(words: str, numbers: Ints) -> pa.Array:
    """Word of each number, counted round."""
    listed = words.split()
    return pa.array(listed).take(pa.array(numbers % len(listed)))


def _numbered(letter: str, numbers: Ints) -> pa.Array:
    """Ids of a letter and at least seven digits."""
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 7, "0")
    return pc.binary_join_element_wise(letter, digits, "")
