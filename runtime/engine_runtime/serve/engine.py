"""The engine as one object: texts to vectors, histories to profiles, profiles to recommendations.

The Python door of the runtime. Knows artefacts, inference and search; knows nothing of files of events or of output.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine_runtime.artefacts.bundle import KIND as BUNDLE
from engine_runtime.artefacts.bundle import Bundle, BundleInfo
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.manifest import check_parent
from engine_runtime.data.histories import Histories
from engine_runtime.data.inputs import model_inputs
from engine_runtime.data.scaling import scaled
from engine_runtime.data.schema import ITEM_ID
from engine_runtime.errors import ArtefactError, UsageError
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.inference.machine import choose_precision, this_machine
from engine_runtime.inference.refiner import Refiner
from engine_runtime.inference.session import Provider
from engine_runtime.profile.labels import Prediction
from engine_runtime.search.building import open_index
from engine_runtime.search.fusion import Ranking, Seen, rank, wide_queries
from engine_runtime.search.index import Index
from engine_runtime.search.newcomers import Newcomers
from engine_runtime.serve.attribution import Attribution, attribute
from engine_runtime.serve.correcting import Personal, correct, recommend_corrected
from engine_runtime.serve.learned import Learned, align
from engine_runtime.serve.shelf import Shelf, lengthen, shelve

Floats = npt.NDArray[np.float32]
Space = Literal["text", "item"]


@dataclass(frozen=True)
class Profiles:
    """Users, refined.

    Attributes
    ----------
    histories
        What they were made from.
    query
        float32 [users, d + w]: q_u, then what texts to look for; its inner product with an item's vector ranks.
    concepts
        z_u: float32 [users, C]; the readable profile, rows sum to 1, zero for a user without ordered events.
    personal
        How the users correct it; None where query and concepts are as their events have made them.
    """

    histories: Histories
    query: Floats
    concepts: Floats
    personal: Personal | None = None


class Engine:
    """A bundle ready to serve, with or without an index. Made by `load`."""

    def __init__(
        self, bundle: Bundle, precision: str, provider: Provider, threads: int | None, cache: Path | None = None
    ) -> None:
        self.bundle = bundle
        self.info = bundle.info
        self.learned = Learned(bundle)
        self.precision = precision
        self.provider: Provider = provider
        self.threads = threads
        self.cache = cache
        self.stock: Shelf | None = None
        self.index_digest: str | None = None  # of the artefact that the shelf came from, if from one

    @classmethod
    def load(
        cls,
        bundle: str | Path,
        index: str | Path | None = None,
        precision: str = "auto",
        threads: int | None = None,
        provider: Provider = "cpu",
        cache: str | Path | None = None,
    ) -> Engine:
        """Load and verify a bundle, and an index made with it.

        Parameters
        ----------
        bundle, index
            Directories. Without an index an engine encodes texts and no more.
        precision
            Variant to run, or ``auto``: the one that the index was made with, else the one trained on where this
            machine runs it exactly.
        threads
            Worker threads; all CPUs that the process may use if None.
        provider
            ``cpu`` or ``cuda``.
        cache
            Folder where vectors of texts are kept from run to run, by their hashes; several processes may share it.

        Raises
        ------
        ArtefactError
            Something is damaged, or the index belongs to another bundle or variant.
        MachineError
            This machine cannot run the variant or the provider.
        """
        opened = Bundle.open(Path(bundle))
        shelved = IndexArtefact.open(Path(index)) if index is not None else None
        if shelved is not None:
            check_parent(shelved.root, shelved.manifest, BUNDLE, opened.manifest.digest)
            precision = shelved.info.precision if precision == "auto" else precision
        info = opened.info
        requires = info.encoder.requires
        chosen = choose_precision(precision, info.precisions, info.precision, requires, this_machine(), provider)
        if shelved is not None and shelved.info.precision != chosen:
            raise ArtefactError(
                f"the index in {shelved.root} was made with {shelved.info.precision}, {chosen} was asked for: vectors "
                "of two variants do not mix. Run `engine index` with this precision."
            )
        engine = cls(opened, chosen, provider, threads, Path(cache) if cache is not None else None)
        if shelved is not None:
            engine = engine.with_items(*open_index(shelved, threads))
            engine.index_digest = shelved.manifest.digest
        return engine

    def with_items(self, index: Index, catalogue: pa.Table, newcomers: Newcomers) -> Engine:
        """The same engine over an index of `catalogue`, made as `engine_runtime.serve.stock` says."""
        engine = copy.copy(self)
        engine.stock = shelve(self.learned, index, catalogue, newcomers)
        return engine

    def with_threads(self, threads: int) -> Engine:
        """The same engine with so many threads; what it has loaded is shared, its sessions are not."""
        engine = copy.copy(self)
        engine.threads = threads
        for session in ("encoder", "refiner"):
            engine.__dict__.pop(session, None)
        if self.stock is not None:
            engine.stock = replace(self.stock, index=self.stock.index.with_threads(threads))
        return engine

    def with_newcomers(self, texts: Sequence[str]) -> Engine:
        """The same engine, whose histories may refer to further items, numbered on from the catalogue's end.

        They are read in histories from their texts, as new items are, and are never recommended.
        """
        shelf = self.shelf
        vectors = self.encode(texts, "item")
        engine = copy.copy(self)
        engine.stock = lengthen(shelf, self.learned, vectors)
        return engine

    @property
    def shelf(self) -> Shelf:
        """The index and its catalogue; raises `UsageError` without one."""
        if self.stock is None:
            raise UsageError("this engine was loaded without an index. Give one: Engine.load(bundle, index).")
        return self.stock

    @cached_property
    def encoder(self) -> TextEncoder:
        """The text encoder; loaded on first use, for serving known items needs none."""
        return TextEncoder.open(
            self.bundle, self.precision, provider=self.provider, threads=self.threads, cache=self.cache
        )

    @cached_property
    def refiner(self) -> Refiner:
        """The refiner; loaded on first use."""
        graph = self.bundle.refiner(self.precision)
        return Refiner(graph, self.info.shape, provider=self.provider, threads=self.threads)

    def encode(self, texts: Sequence[str], space: Space = "text") -> Floats:
        """Vectors of texts.

        Parameters
        ----------
        texts
            Any strings.
        space
            ``text``: the encoder's own, float32 [n, 384] for the default encoder, of unit length. ``item``: that of
            items and queries, float32 [n, d + w]: what is learned, then the direction of the whitened text.
        """
        _check_space(space)
        return self.encoder.encode(texts, space)

    def stream(self, texts: Iterable[str], space: Space = "text") -> Iterator[Floats]:
        """Vectors of texts as they come, in blocks of float32 [n, width] and bounded memory; otherwise as `encode`."""
        _check_space(space)
        return self.encoder.stream(texts, space)

    def item_numbers(self, ids: Sequence[str]) -> npt.NDArray[np.int32]:
        """Numbers of items in the index's catalogue, as histories name them: int32 [ids], -1 for an unknown one."""
        return align(pa.chunked_array([pa.array(ids, pa.string())]), self.shelf.catalogue[ITEM_ID])

    def profile(self, histories: Histories, personal: Personal | None = None) -> Profiles:
        """Refine histories, whose items are numbered as in the index's catalogue.

        `personal` are corrections of each of the users, or of one for all; see `engine_runtime.serve.correcting`.

        Raises
        ------
        UsageError
            There is no index, or an item's number is not one of its catalogue's.
        """
        known = len(self.shelf.vectors)
        if histories.n_events and not (histories.items.min() >= 0 and histories.items.max() < known):
            raise UsageError(f"a history names an item outside 0 .. {known - 1}. Leave unknown items (-1) out first.")
        inputs = model_inputs(histories, self.info.value, self.info.gap, self.info.shape.max_events)
        refined = self.refiner.refine(inputs, self.shelf.vectors)
        seen = Seen(histories.offsets, histories.items)
        query = wide_queries(refined.query, seen, self.shelf.directions, self.info.fusion)
        profiles = Profiles(histories, query, refined.profile)
        return profiles if personal is None else correct(self, profiles, inputs, personal)

    def labels(self, profiles: Profiles) -> list[Prediction]:
        """Attributes of users that the bundle's label heads predict; an empty list where it has none."""
        reader = self.shelf.labels
        if reader is None:
            return []
        histories = profiles.histories
        values = scaled(histories.values, self.info.value)
        return reader.predict(self.info.labels, histories, values, profiles.concepts)

    def recommend(self, profiles: Profiles, k: int = 10) -> Ranking:
        """The `k` best items of each user that are not in their history."""
        if profiles.personal is not None:
            return recommend_corrected(self, profiles, profiles.personal, k)
        shelf = self.shelf
        histories = profiles.histories
        if len(shelf.vectors) > len(shelf.catalogue):
            histories = histories.where(histories.items < len(shelf.catalogue))
        seen = Seen(histories.offsets, histories.items)
        return rank(profiles.query, seen, shelf.index, shelf.successors, self.info.fusion, k, shelf.new)

    def explain(self, profiles: Profiles, items: npt.NDArray[np.int32] | None = None, k: int = 10) -> Attribution:
        """Take one user's interests and scores apart; see `engine_runtime.serve.attribution.attribute`.

        `items` are those that are explained, the `k` best if None.
        """
        if items is None:
            found = self.recommend(profiles, k).items[0] if len(profiles.histories) else np.zeros(0, np.int32)
            items = found[found >= 0]
        return attribute(self, profiles, items)


def check_event_types(info: BundleInfo, dataset: Dataset) -> None:
    """Refuse a data set that numbers its event types otherwise than the bundle; raises `ArtefactError`."""
    if dataset.info.event_types != info.event_types:
        raise ArtefactError(
            f"{dataset.root} has the event types {', '.join(dataset.info.event_types)}, the bundle was trained on "
            f"{', '.join(info.event_types)}. Ingest with the TOML of the training data."
        )


def _check_space(space: str) -> None:
    if space not in get_args(Space):
        raise UsageError(f"there is no space '{space}' to encode into; there are {', '.join(get_args(Space))}.")
