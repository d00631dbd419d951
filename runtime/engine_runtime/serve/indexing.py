"""From a bundle and a data set to an index: item vectors, then a graph over them, its recall measured on real users.

The only place that writes an index. Where an earlier index of the same bundle is named, its vectors and its graph are
gone on from; the new one is whole in itself, and the earlier one is read and left as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np

from engine_runtime.artefacts import bundle as bundle_layout
from engine_runtime.artefacts import dataset as dataset_layout
from engine_runtime.artefacts import index as layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact, IndexInfo
from engine_runtime.artefacts.manifest import Manifest, check_parent
from engine_runtime.artefacts.writing import Draft, drafting
from engine_runtime.data.reading import read_blocks, read_bucket_users
from engine_runtime.data.schema import N_EVENTS, RANKABLE
from engine_runtime.data.stored import read_catalogue
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.session import available_cpus
from engine_runtime.search.building import (
    IndexSettings,
    Measured,
    Method,
    index_info,
    measured_index,
    open_index,
    renewed_index,
    write_index,
)
from engine_runtime.search.hnsw import HnswIndex, unseen
from engine_runtime.search.index import ExactIndex, Floats, Index
from engine_runtime.serve.engine import Engine, check_event_types
from engine_runtime.serve.stock import Stock, read_untrained, stock_items

PROBES = 1000

Watch = Callable[[str, int, str], AbstractContextManager[Callable[[int], object]]]
"""Shows a long step: title, how many there are, of what; gives what is told of every further so many."""


@dataclasses.dataclass(frozen=True)
class _Base:
    """An earlier index: its items, its search where that may be gone on from, what is known of it."""

    stock: Stock
    index: Index | None
    info: IndexInfo


def make_index(
    engine: Engine,
    dataset: Dataset,
    out: Path,
    settings: IndexSettings,
    *,
    base: IndexArtefact | None = None,
    replace: bool = False,
    report: Callable[[str], None] = lambda message: None,
    watch: Watch = lambda title, total, unit: nullcontext(unseen),
) -> IndexArtefact:
    """Encode a data set's items and build a search index over them.

    Parameters
    ----------
    engine
        Of the bundle and variant that will serve.
    dataset
        Whose catalogue is indexed; some of its users are the probes that the recall is measured with.
    out
        Where the index goes; it may be where `base` is.
    settings
        How it is built.
    base
        An earlier index of the same bundle and variant. Only texts that it lacks are encoded. Its graph is gone on
        from where `settings` are its own: new vectors are inserted, those that are gone are marked dead. The graph is
        built anew where more than a fifth of its points would be dead, or the recall is out of reach.
    replace
        Whether an index that is there may be replaced.
    report
        Told what happens.
    watch
        Shows the progress of the graph.

    Raises
    ------
    ArtefactError
        The data set numbers its event types otherwise than the bundle, `base` is of another bundle or variant, a
        vector is not finite, or HNSW's recall is out of reach.
    """
    check_event_types(engine.info, dataset)
    with drafting(out, layout.KIND, replace=replace) as draft:
        earlier = None if base is None else _open_base(engine, base)
        _write(engine, dataset, draft, settings, earlier, report, watch)
    return IndexArtefact.open(out, verify=False)


def index_without(engine: Engine, dataset: Dataset, base: IndexArtefact, draft: Draft) -> Manifest:
    """Write an index anew over a data set that has fewer items: their vectors are in no file, nor in the graph.

    Parameters
    ----------
    engine
        Of the bundle and variant that `base` was made with. It encodes only what `base` lacks, which is nothing where
        items have gone and none has come.
    dataset
        Whose catalogue is indexed.
    base
        The index as it is; vectors are taken from it, its graph is not.
    draft
        Where the new one goes; sealed when this returns.

    Raises
    ------
    ArtefactError
        As `make_index`.
    """
    check_event_types(engine.info, dataset)
    info, earlier = base.info, _open_base(engine, base)
    method: Method = "exact" if info.method == "exact" else "hnsw"
    settings = IndexSettings(method, info.m, info.ef_construction)
    return _write(engine, dataset, draft, settings, dataclasses.replace(earlier, index=None))


def _write(
    engine: Engine,
    dataset: Dataset,
    draft: Draft,
    settings: IndexSettings,
    earlier: _Base | None,
    report: Callable[[str], None] = lambda message: None,
    watch: Watch = lambda title, total, unit: nullcontext(unseen),
) -> Manifest:
    """Fill and seal a draft."""
    stock = _stock(engine, dataset, None if earlier is None else earlier.stock, report)
    probes = _probes(engine, dataset, stock)
    measured = _searchable(stock, probes, settings, earlier, engine.threads or available_cpus(), report, watch)
    write_index(draft, stock.catalogue, measured, stock.newcomers)
    np.save(draft.path / layout.UNTRAINED_FILE, stock.untrained)
    parents = {
        bundle_layout.KIND: engine.bundle.manifest.digest,
        dataset_layout.KIND: dataset.manifest.digest,
    }
    described = index_info(measured, engine.precision, settings, len(probes), len(stock.newcomers.items))
    return draft.seal(described, parents)


def _open_base(engine: Engine, base: IndexArtefact) -> _Base:
    """Read an earlier index whose vectors can be mixed with those of `engine`; raises `ArtefactError`."""
    check_parent(base.root, base.manifest, bundle_layout.KIND, engine.bundle.manifest.digest)
    if base.info.precision != engine.precision:
        raise ArtefactError(
            f"the index in {base.root} was made with {base.info.precision}, this one would be with {engine.precision}: "
            "vectors of two variants do not mix. Use the same --precision, or leave out --from."
        )
    untrained = read_untrained(base, engine.info.shape.dim)
    index, catalogue, newcomers = open_index(base, engine.threads)
    return _Base(Stock(catalogue, index.vectors, newcomers, untrained), index, base.info)


def _stock(engine: Engine, dataset: Dataset, known: Stock | None, report: Callable[[str], None]) -> Stock:
    """The data set's items with their vectors."""

    def encode(texts: Sequence[str]) -> Floats:
        report(f"encoding {len(texts):,} items with the {engine.precision} encoder")
        return engine.encode(texts, "item")

    return stock_items(read_catalogue(dataset.items), encode, engine.learned, known)


def _searchable(
    stock: Stock,
    probes: Floats,
    settings: IndexSettings,
    earlier: _Base | None,
    threads: int,
    report: Callable[[str], None],
    watch: Watch,
) -> Measured:
    """A search over the stock: by the graph of an earlier index where it can be gone on from, else by a new one."""
    rankable = stock.catalogue[RANKABLE].to_numpy()
    count = int(rankable.sum())
    report(f"building the index over {count:,} items, {len(probes):,} probes")
    graph = None if earlier is None else _reusable(earlier, settings, count)
    if graph is not None:
        found = renewed_index(graph, stock.vectors, rankable, probes, settings)
        if found is not None:
            return found
        report("too many points of the earlier graph are dead, or its recall is too low: building it anew")
    if settings.is_exact(count):
        return measured_index(stock.vectors, rankable, probes, settings, threads)
    with watch("graph", count, "vectors") as advance:
        return measured_index(stock.vectors, rankable, probes, settings, threads, advance)


def _reusable(earlier: _Base, settings: IndexSettings, count: int) -> HnswIndex | None:
    """The graph of an earlier index, where a new one would be built as it was."""
    alike = (earlier.info.m, earlier.info.ef_construction) == (settings.m, settings.ef_construction)
    return earlier.index if isinstance(earlier.index, HnswIndex) and alike and not settings.is_exact(count) else None


def _probes(engine: Engine, dataset: Dataset, stock: Stock) -> Floats:
    """Queries of some users; of a data set without histories, its item vectors."""
    exact = ExactIndex(stock.vectors, stock.catalogue[RANKABLE].to_numpy())
    asking = engine.with_items(exact, stock.catalogue, stock.newcomers)
    found = np.zeros((0, stock.vectors.shape[1]), np.float32)
    for block in read_blocks(dataset, 0, read_bucket_users(dataset, 0)[N_EVENTS].to_numpy()):
        some = np.flatnonzero(block.n_ordered)[: PROBES - len(found)]
        found = np.concatenate((found, asking.profile(block.take(some)).query))
        if len(found) == PROBES:
            break
    return found if len(found) else stock.vectors[:PROBES]
