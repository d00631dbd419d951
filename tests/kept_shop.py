"""Everything that is kept of a small shop: a data set, two outputs, a bundle and an index."""

from __future__ import annotations

from pathlib import Path

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.receipt import Receipt
from engine_runtime.data.survey import Event, Request
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.erasure import erase
from engine_runtime.serve.indexing import make_index
from engine_runtime.serve.sought import Places, find
from tiny import World, ingest_shop


class Kept:
    """Everything that is kept of a small shop, in a folder of its own."""

    def __init__(self, world: World, engine: Engine, root: Path) -> None:
        self.dataset = ingest_shop(root / "shop").root
        opened = Dataset.open(self.dataset)
        self.first = serve_batch(engine, opened, root / "first", top_k=5)[0].root
        self.second = serve_batch(engine, opened, root / "second", top_k=5, since=self.first)[0].root
        self.bundle = world.bundle.root
        self.index = make_index(
            Engine.load(self.bundle, threads=1), opened, root / "index", IndexSettings("hnsw", 8, 50)
        ).root
        self.places = Places((self.dataset,), (self.second, self.first), self.index, self.bundle)

    def forget(self, *users: str, items: tuple[str, ...] = (), events: tuple[Event, ...] = ()) -> Receipt:
        """Forget in all places."""
        return erase(find(Request(frozenset(users), frozenset(items), frozenset(events)), self.places))
