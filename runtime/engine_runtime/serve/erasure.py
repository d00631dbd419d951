"""Users, items and events taken out of all that is kept of them: data sets, outputs, an index, a cache, corrections.

All artefacts are written anew beside themselves, and then exchanged one by one, those that were made from others first
and data sets last. So what a run that was stopped has not done is found by the next one with the same request, and the
digests that are named as parents come to be. Knows the order of the work; each step lives where its artefact does.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine_runtime.artefacts import dataset as dataset_layout
from engine_runtime.artefacts import index as index_layout
from engine_runtime.artefacts import output as output_layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.output import Output
from engine_runtime.artefacts.overlay import forget as forget_corrections
from engine_runtime.artefacts.receipt import SCHEMA, Receipt, Requested, Rewritten, new_salt, now, request_digest
from engine_runtime.artefacts.replacing import replacing
from engine_runtime.artefacts.writing import creator
from engine_runtime.data.forgetting import rewrite
from engine_runtime.data.schema import ITEM_ID, TEXT
from engine_runtime.data.stored import read_catalogue
from engine_runtime.data.survey import Survey
from engine_runtime.data.tracing import Wanted, scan
from engine_runtime.inference.cache import forget_texts
from engine_runtime.search.building import open_index
from engine_runtime.search.hnsw import HnswIndex
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.forgetting import Held, forget_rows
from engine_runtime.serve.indexing import index_without
from engine_runtime.serve.sought import Findings, items_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass
class _Work:
    """What has been done so far: new digests by the old ones, entries of the receipt, vectors to look for."""

    digests: dict[str, str] = field(default_factory=dict)
    rewritten: list[Rewritten] = field(default_factory=list)
    vectors: set[bytes] = field(default_factory=set)
    cached: int = 0

    def note(self, kind: str, root: Path, before: str, after: str, removed: dict[str, int]) -> None:
        """Take note of an artefact that was written anew, or was not."""
        self.digests[before] = after
        kept = {what: count for what, count in removed.items() if count}
        self.rewritten.append(Rewritten(kind, str(root), before, after, kept))


def erase(
    found: Findings,
    *,
    memory: str = "2GB",
    threads: int | None = None,
    report: Callable[[str], None] = lambda message: None,
) -> Receipt:
    """Take what was found out of everything, scan what is left, and give a receipt.

    Parameters
    ----------
    found
        Of `find`.
    memory, threads
        Of the data sets' rewriting, as in `engine_runtime.data.ingest.ingest`.
    report
        Told what is being done.

    Raises
    ------
    UsageError
        Another process writes one of the artefacts.
    MachineError
        `memory` is too little.
    """
    started, work = time.perf_counter(), _Work()
    with ExitStack() as drafts:
        datasets = [_forget_in(one, drafts, work, memory, threads, report) for one in found.surveys]
        for output, held in zip(found.outputs, found.held, strict=True):
            _forget_output(found, output, held, drafts, work, report)
        if found.index is not None:
            _forget_items(found, found.index, datasets[found.indexed], drafts, work, report)
        if found.places.cache is not None and found.request.items:
            report("taking texts out of the cache")
            work.cached = forget_texts(found.places.cache, _lonely_texts(found))
    places, users, items = found.places, found.request.users, found.request.items
    corrected = forget_corrections(places.overlay, users) if places.overlay is not None else 0
    seconds = time.perf_counter() - started
    report("looking for traces")
    scanned = scan(places.looked_through, Wanted(users, items, frozenset(work.vectors)))
    salt = new_salt()
    digest = request_digest(salt, found.request.lines)
    return Receipt(
        schema=SCHEMA,
        creator=creator(),
        time=now(),
        requested=Requested(len(users), len(items), len(found.request.events), salt, digest),
        artefacts=tuple(work.rewritten),
        cached=work.cached,
        corrected=corrected,
        scan=scanned,
        seconds=round(seconds, 3),
        seconds_per_user=round(seconds / len(users), 6) if users else None,
    )


def _forget_in(
    found: Survey,
    drafts: ExitStack,
    work: _Work,
    memory: str,
    threads: int | None,
    report: Callable[[str], None],
) -> Dataset:
    """Write a data set anew beside itself; return the new one. It is exchanged when `drafts` are closed."""
    dataset = found.dataset
    before = dataset.manifest.digest
    if not found.anything:
        work.note(dataset_layout.KIND, dataset.root, before, before, {})
        return dataset
    report(f"writing {dataset.root} anew")
    draft = drafts.enter_context(replacing(dataset.root, dataset_layout.KIND))
    manifest = rewrite(found, draft, memory, threads)
    removed = {"users": int(found.users.sum()), "items": int(found.items.sum()), "events": found.n_events}
    work.note(dataset_layout.KIND, dataset.root, before, manifest.digest, removed)
    return Dataset.open(draft.path, verify=False)


def _forget_output(
    found: Findings, output: Output, held: Held, drafts: ExitStack, work: _Work, report: Callable[[str], None]
) -> None:
    before = output.manifest.digest
    moved = any(work.digests.get(digest, digest) != digest for digest in output.manifest.parents.values())
    if not (held.users or held.items or moved):
        work.note(output_layout.KIND, output.root, before, before, {})
        return
    report(f"writing {output.root} anew")
    draft = drafts.enter_context(replacing(output.root, output_layout.KIND))
    manifest, removed = forget_rows(output, found.stale, found.request.items, work.digests, draft)
    work.vectors |= held.vectors
    work.note(output_layout.KIND, output.root, before, manifest.digest, removed)


def _forget_items(
    found: Findings,
    index: IndexArtefact,
    dataset: Dataset,
    drafts: ExitStack,
    work: _Work,
    report: Callable[[str], None],
) -> None:
    """Make the index anew over the catalogue of a data set that is already without the items."""
    if found.places.bundle is None:
        raise RuntimeError("an index was let through without its bundle")
    report(f"writing {index.root} anew")
    items = items_in(index, found.request.items)
    work.vectors |= _item_vectors(index, items)
    engine = Engine.load(found.places.bundle, precision=index.info.precision)
    draft = drafts.enter_context(replacing(index.root, index_layout.KIND))
    manifest = index_without(engine, dataset, index, draft)
    work.note(index_layout.KIND, index.root, index.manifest.digest, manifest.digest, {"items": len(items)})


def _item_vectors(index: IndexArtefact, items: frozenset[str]) -> set[bytes]:
    """Vectors of items as the index keeps them, and as its graph does, but for those that another item has too."""
    opened, catalogue, _ = open_index(index)
    mine = pc.is_in(catalogue[ITEM_ID], pa.array(sorted(items), pa.string())).to_numpy()
    vectors = np.asarray(opened.vectors)
    alike = ~mine & np.isin(vectors[:, 0], vectors[mine, 0])
    others = {row.tobytes() for row in vectors[alike]}
    own = [row for row in vectors[mine] if row.tobytes() not in others and np.ptp(row) > 0]
    centred = [row - opened.points.centre for row in own] if isinstance(opened, HnswIndex) else []
    return {row.tobytes() for row in (*own, *centred)}


def _lonely_texts(found: Findings) -> list[str]:
    """Texts of items that go, which no item that stays has too."""
    gone: set[str] = set()
    kept: set[str] = set()
    for looked in found.surveys:
        texts = read_catalogue(looked.dataset.items)[TEXT]
        gone |= set(texts.filter(pa.array(looked.items)).to_pylist())
        kept |= set(texts.filter(pa.array(~looked.items)).to_pylist())
    return sorted(gone - kept)
