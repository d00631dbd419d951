"""The engine as a contender of `turns`: `engine index`, then `engine serve-batch`, as a user calls them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_bench.serving.night import TOP_K, Given, Lists, timed
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.output import Output
from engine_runtime.data.schema import ITEM_ID
from engine_runtime.data.stored import read_catalogue
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.indexing import make_index


def load(folder: str, variant: str) -> tuple[str, Callable[[], dict[str, Any]]]:
    """The variant is a precision, or ``auto``."""
    given, root = Given.read(folder), Path(folder)
    dataset = Dataset.open(Path(given.dataset))
    engine = Engine.load(given.bundle, None, variant, given.threads)

    def items() -> IndexArtefact:
        return make_index(engine, dataset, root / "index", IndexSettings(), replace=True)

    def users(index: IndexArtefact) -> Output:
        with_index = Engine.load(given.bundle, index.root, variant, given.threads)
        return serve_batch(with_index, dataset, root / "output", top_k=TOP_K, replace=True)[0]

    def lists(output: Output) -> Lists:
        return numbered(output, read_catalogue(dataset.items)[ITEM_ID].combine_chunks())

    read = {"known": np.arange(dataset.info.n_items), "rows": np.arange(dataset.info.n_users)}
    settings = f"{engine.precision}, {given.threads} workers; profiles, facets and recommendations as Parquet"
    return settings, lambda: timed(items, users, lists) | read


def numbered(output: Output, item_ids: pa.Array) -> Lists:
    """The recommendations of an output by the items' places in `item_ids`."""
    parts = [pq.read_table(output.part(number), columns=["recommendations"]) for number in range(output.info.n_parts)]
    column = pa.concat_tables(parts)["recommendations"].combine_chunks()
    found = pc.index_in(pc.struct_field(column.flatten(), ITEM_ID), item_ids).to_numpy(zero_copy_only=False)
    lengths = column.value_lengths().to_numpy()
    lists = np.full((len(lengths), TOP_K), -1, np.int32)
    lists[np.arange(TOP_K) < lengths[:, None]] = found
    return lists
