"""The items of a made-up shop: ids, titles of words that tell kind and series, brands, categories and prices.

Knows which words go with which number; knows nothing of users or files. `engine_runtime.data.world` has the
model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine_runtime.data.world import ITEM_STREAM, SERIES, Ints, World

SPREAD_OF_PRICES = 0.5
BRANDS = 16  # of each kind
DEPARTMENT = 8
"""Kinds of a department."""

THINGS = """
kettle mug bowl blender knife pan plate teapot
lamp sofa carpet curtain mirror clock armchair pillow
boots coat dress gloves hat jacket scarf shirt
backpack bottle tent rope helmet racket bucket lantern
desk chair notebook pen keyboard shelf book folder
guitar drum piano radio speaker flute violin trumpet
soap towel brush candle basin comb fan jar
hammer drill ladder broom saw wrench pliers bench
"""
DEPARTMENTS = ("Kitchen", "Living room", "Clothing", "Outdoor", "Office", "Music", "Bathroom", "Workshop")
USES = (
    "for cooking and family dinners",
    "for a warm and bright home",
    "for work and long walks",
    "for camping, travel and sport",
    "for study and home office",
    "for beginners and the stage",
    "for daily care and relaxing",
    "for repairs in house and garden",
)
FEATURES = (
    "with five year warranty",
    "with a gift box",
    "easy to clean and store",
    "made by hand in small numbers",
    "water resistant",
    "with two spare parts",
    "safe for children",
    "very light but strong",
    "from recycled parts",
    "with a soft cover",
    "in a set of two",
    "for left and right hand",
    "with extra long handle",
    "folds flat in seconds",
    "with a carrying bag",
    "tested for ten years of use",
)
STYLES = """
antique bold classic compact cosy elegant everyday festive folding gentle handmade heavy light lively modern neat
plain quiet round rustic simple slim smart soft solid square tall tiny travel vintage warm wide
"""
MATERIALS = "bamboo brass ceramic copper cotton glass leather linen marble oak paper silk steel stone velvet wool"
COLOURS = "black white red blue green yellow purple orange"
SYLLABLES = "ba de fi go hu ka le mi no pu ra se ti vo wu za"


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
        return numbered("i", self.numbers[items])

    def sizes(self, kinds: Ints) -> Ints:
        """Items of each of `kinds`."""
        return (self.world.n_items - 1 - kinds) // self.world.n_kinds + 1

    def rows(self, start: int, stop: int) -> pa.Table:
        """Rows of the item file, in order of the ids."""
        items = self.items[start:stop]
        kind, rank = items % self.world.n_kinds, items // self.world.n_kinds
        department = kind // DEPARTMENT
        brand, thing = word_of(_brands(), kind * BRANDS + rank // SERIES % BRANDS), word_of(THINGS.split(), kind)
        category = pc.binary_join_element_wise(word_of(DEPARTMENTS, department), thing, " > ")
        columns = [self.ids(items), _titles(kind, rank, brand, thing), brand, category, pa.array(self.prices[items])]
        return pa.table(columns, names=["item_id", "title", "brand", "category", "price"])


def _titles(kind: Ints, rank: Ints, brand: pa.Array, thing: pa.Array) -> pa.Array:
    """As "Zabade classic brass hat 32 with a gift box, for work and long walks, orange"."""
    series = rank // SERIES
    style, material = (
        word_of(STYLES.split(), series // BRANDS + series),
        word_of(MATERIALS.split(), series // BRANDS + kind),
    )
    model = pa.array(series).cast(pa.string())
    name = pc.binary_join_element_wise(brand, style, material, thing, model, word_of(FEATURES, series + kind), " ")
    return pc.binary_join_element_wise(name, word_of(USES, kind // DEPARTMENT), word_of(COLOURS.split(), rank), ", ")


def _brands() -> list[str]:
    """A name for each brand of each kind: 64 times `BRANDS`."""
    syllables = SYLLABLES.split()
    return [
        (first + second + third).capitalize() for third in syllables[:4] for first in syllables for second in syllables
    ]


def word_of(words: Sequence[str], numbers: Ints) -> pa.Array:
    """Word of each number, counted round."""
    return pa.array(words).take(pa.array(numbers % len(words)))


def numbered(letter: str, numbers: Ints) -> pa.Array:
    """Ids of a letter and at least seven digits."""
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 7, "0")
    return pc.binary_join_element_wise(letter, digits, "")
