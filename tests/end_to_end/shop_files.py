"""The files of a small shop, whose customers mostly take the next item of a row."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

USERS, ITEMS, STEPS = 80, 60, 12
KINDS = ("tea pot", "coffee mill", "bread knife", "garden rake", "paint brush", "bicycle bell")

CONFIG = """
name = "shop"
domain = "e-commerce"
currency = "EUR"

[events]
user = "customer"
item = "sku"
type = "what"
time = "when"
time_format = "seconds"
quantity = "units"
price = "price"

[event_types]
view = 0.5
purchase = 1.0
return = 0.0

[items]
id = "sku"
text = "{title}. {kind}"
title = "title"
category = "kind"
brand = "brand"
price = "price"

[users]
id = "customer"
attributes = ["city"]
"""


@dataclass(frozen=True)
class Shop:
    """Where a shop's files and artefacts are."""

    root: Path

    @property
    def config(self) -> Path:
        """The TOML."""
        return self.root / "shop.toml"

    @property
    def events(self) -> Path:
        """The raw events."""
        return self.root / "events.csv"

    @property
    def items(self) -> Path:
        """The raw items."""
        return self.root / "items.csv"

    @property
    def dataset(self) -> Path:
        """The ingested data set."""
        return self.root / "dataset"

    @property
    def bundle(self) -> Path:
        """The exported bundle."""
        return self.root / "bundle"

    @property
    def index(self) -> Path:
        """The index."""
        return self.root / "index"


def write_shop(shop: Shop) -> Path:
    """Write the shop's files; return that of its users."""
    shop.config.write_text(CONFIG)
    _write(shop.items, ("sku", "title", "kind", "brand", "price"), _items())
    _write(shop.events, ("customer", "sku", "what", "when", "units", "price"), _events(random.Random(5)))
    users = shop.root / "users.csv"
    _write(users, ("customer", "city"), [(f"c{user}", ("Ghent", "Porto")[user % 2]) for user in range(USERS + 1)])
    return users


def _items() -> list[tuple[object, ...]]:
    kinds = [KINDS[item * len(KINDS) // ITEMS] for item in range(ITEMS)]
    return [
        (f"s{item}", f"{kind} number {item}", kind, f"maker {item % 4}", 1 + item % 30)
        for item, kind in enumerate(kinds)
    ]


def _events(draw: random.Random) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for user in range(USERS):
        item, moment = draw.randrange(ITEMS), 1_700_000_000 + draw.randrange(10**6)
        for _ in range(1 if user == 0 else STEPS):
            what = draw.choice(("view", "purchase"))
            rows.append((f"c{user}", f"s{item}", what, moment, 1, 1 + item % 30))
            item = (item + 1) % ITEMS if draw.random() < 0.8 else draw.randrange(ITEMS)
            moment += draw.randrange(60, 10**5)
    return rows


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])
