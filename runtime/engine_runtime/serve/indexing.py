"""From a bundle and a data set to an index: item vectors, then a graph over them, its recall measured on real users.

The only place that writes an index.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine_runtime.artefacts import bundle as bundle_layout
from engine_runtime.artefacts import dataset as dataset_layout
from engine_runtime.artefacts import index as layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.writing import drafting
from engine_runtime.data.histories import read_bucket, read_catalogue
from engine_runtime.data.schema import RANKABLE, TEXT
from engine_runtime.inference.session import available_cpus
from engine_runtime.search.building import IndexSettings, index_info, measured_index, write_index
from engine_runtime.search.index import ExactIndex, Floats
from engine_runtime.serve.engine import Engine, check_event_types

PROBES = 1000


def make_index(
    engine: Engine,
    dataset: Dataset,
    out: Path,
    settings: IndexSettings,
    *,
    replace: bool = False,
    report: Callable[[str], None] = lambda message: None,
) -> IndexArtefact:
    """Encode a data set's items and build a search index over them.

    Parameters
    ----------
    engine
        Of the bundle and variant that will serve.
    dataset
        Whose catalogue is indexed; some of its users are the probes that the recall is measured with.
    out
        Where the index goes.
    settings
        How it is built.
    replace
        Whether an index that is there may be replaced.
    report
        Told what happens.

    Raises
    ------
    ArtefactError
        The data set numbers its event types otherwise than the bundle, a vector is not finite, or HNSW's recall is
        out of reach.
    """
    check_event_types(engine.info, dataset)
    catalogue = read_catalogue(dataset.items)
    rankable = catalogue[RANKABLE].to_numpy()
    with drafting(out, layout.KIND, replace=replace) as draft:
        report(f"encoding {len(catalogue):,} items with the {engine.precision} encoder")
        vectors, newcomers = engine.item_vectors(catalogue, catalogue[TEXT].to_pylist())
        probes = _probes(engine.with_items(ExactIndex(vectors, rankable), catalogue, newcomers), dataset, vectors)
        report(f"building the index over {int(rankable.sum()):,} items, {len(probes):,} probes")
        measured = measured_index(vectors, rankable, probes, settings, engine.threads or available_cpus())
        write_index(draft, catalogue, measured, newcomers)
        parents = {
            bundle_layout.KIND: engine.bundle.manifest.digest,
            dataset_layout.KIND: dataset.manifest.digest,
        }
        described = index_info(measured, engine.precision, settings, len(probes), len(newcomers.items))
        draft.seal(described, parents)
    return IndexArtefact.open(out)


def _probes(engine: Engine, dataset: Dataset, vectors: Floats) -> Floats:
    """Queries of some users; of a data set without histories, its item vectors."""
    histories = read_bucket(dataset, 0)
    some = np.flatnonzero(histories.n_ordered)[:PROBES]
    if not len(some):
        return vectors[:PROBES]
    return engine.profile(histories.take(some)).query
