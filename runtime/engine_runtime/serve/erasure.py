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
from engine_runtime.artefacts.overlay import read_overlay
from engine_runtime.artefacts.receipt import SCHEMA, Receipt, Requested, Rewritten, new_salt, now, request_digest
from engine_runtime.artefacts.replacing import clear_leftovers, replacing
from engine_runtime.artefacts.unfinished import unfinished_folder
from engine_runtime.artefacts.writing import creator
from engine_runtime.data.forgetting import Event, Request, Survey, rewrite, survey
from engine_runtime.data.schema import ITEM_ID, TEXT
from engine_runtime.data.stored import read_catalogue
from engine_runtime.data.tracing import Wanted, scan
from engine_runtime.errors import InputError, UsageError
from engine_runtime.inference.cache import forget_texts
from engine_runtime.search.building import open_index
from engine_runtime.search.hnsw import HnswIndex
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.forgetting import Held, forget_rows, look_up
from engine_runtime.serve.indexing import index_without

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SHOWN = 3
"""Unknown ids that a message names."""


@dataclass(frozen=True)
class Places:
    """Where something may be kept.

    Attributes
    ----------
    datasets, outputs
        Artefacts.
    index, bundle
        An index, and the bundle that it was made with, which is needed where items are to go.
    cache
        Folder of text vectors.
    overlay
        Corrections of users.
    scanned
        Files and folders that are only looked through.
    """

    datasets: tuple[Path, ...]
    outputs: tuple[Path, ...] = ()
    index: Path | None = None
    bundle: Path | None = None
    cache: Path | None = None
    overlay: Path | None = None
    scanned: tuple[Path, ...] = ()

    @property
    def artefacts(self) -> tuple[Path, ...]:
        """All that may be written anew."""
        return (*self.datasets, *self.outputs, *((self.index,) if self.index else ()))

    @property
    def looked_through(self) -> list[Path]:
        """All that a scan reads: what was given, and what a run that was stopped may have left beside it."""
        beside = [
            path
            for place in self.artefacts
            for path in sorted(place.absolute().parent.iterdir())
            if path.name.startswith((f".{place.absolute().name}.", f"{place.absolute().name}.unfinished"))
        ]
        files = [path for path in (self.cache, self.overlay) if path is not None]
        return [*self.artefacts, *files, *self.scanned, *beside]

    @property
    def corrected(self) -> frozenset[str]:
        """Users who have corrections."""
        return frozenset(read_overlay(self.overlay).users) if self.overlay is not None else frozenset()


@dataclass(frozen=True)
class Findings:
    """What was found of a request before anything is written.

    Attributes
    ----------
    request
        As it was made.
    places
        Where it was looked for.
    surveys
        Of each data set.
    outputs, held
        Each output and what it holds, in an order in which none comes before one that it was made from.
    index
        The index, where it holds an item that is to go.
    indexed
        Number of the data set that it is made of.
    """

    request: Request
    places: Places
    surveys: tuple[Survey, ...]
    outputs: tuple[Output, ...]
    held: tuple[Held, ...]
    index: IndexArtefact | None
    indexed: int = 0

    @property
    def stale(self) -> frozenset[str]:
        """Users whose rows go: those of the request, and those whose histories are no longer what was served."""
        return self.request.users.union(*(found.stale for found in self.surveys))

    @property
    def unknown(self) -> list[str]:
        """The parts of the request that are nowhere, as lines of `Request.lines`."""
        known = Request(
            self.request.users.intersection(
                self.places.corrected.union(
                    *(found.found.users for found in self.surveys), *(held.users for held in self.held)
                )
            ),
            self.request.items.intersection(
                frozenset[str]().union(
                    *(found.found.items for found in self.surveys), *(held.items for held in self.held)
                ),
            )
            | (_items_in(self.index, self.request.items) if self.index else frozenset[str]()),
            frozenset[Event]().union(*(found.found.events for found in self.surveys)),
        )
        return sorted(set(self.request.lines) - set(known.lines))


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


def find(request: Request, places: Places) -> Findings:
    """Look a request up in all places; what a run that was stopped left beside them is removed first.

    Raises
    ------
    InputError
        A part of the request is in none of them.
    UsageError
        A run of serve-batch is unfinished, or an item is to go from an index and no bundle was given.
    ArtefactError
        An artefact is damaged or of another kind.
    """
    for out in places.outputs:
        if unfinished_folder(out).exists():
            raise UsageError(
                f"{unfinished_folder(out)} holds rows of a run that has not finished. Finish it with --resume, or "
                "remove it; then forget."
            )
    mended = [clear_leftovers(place) for place in places.artefacts]
    surveys = tuple(survey(Dataset.open(root), request) for root in places.datasets)
    stale = request.users.union(*(found.stale for found in surveys))
    outputs = _in_order([Output.open(root) for root in places.outputs])
    held = tuple(look_up(output, stale, request.items) for output in outputs)
    found = Findings(request, places, surveys, outputs, held, *_index(places, request, surveys))
    if (unknown := found.unknown) and not any(mended):
        shown = ", ".join(f"'{line}'" for line in unknown[:SHOWN]).replace("\t", " ")
        more = f" and {len(unknown) - SHOWN:,} more" if len(unknown) > SHOWN else ""
        raise InputError(f"{shown}{more}: in no artefact that was given. Nothing was changed.")
    return found


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
    items = _items_in(index, found.request.items)
    work.vectors |= _item_vectors(index, items)
    engine = Engine.load(found.places.bundle, precision=index.info.precision)
    draft = drafts.enter_context(replacing(index.root, index_layout.KIND))
    manifest = index_without(engine, dataset, index, draft)
    work.note(index_layout.KIND, index.root, index.manifest.digest, manifest.digest, {"items": len(items)})


def _index(places: Places, request: Request, surveys: Sequence[Survey]) -> tuple[IndexArtefact | None, int]:
    """The index, where an item has to go from it, and the number of the data set that it is to be made of.

    That is the one that it was made of; where that is not given, the last one that has all of its items.

    Raises
    ------
    UsageError
        The index cannot be made anew.
    """
    if places.index is None:
        return None, 0
    index = IndexArtefact.open(places.index)
    if not _items_in(index, request.items):
        return None, 0
    if places.bundle is None:
        raise UsageError(f"an item is to go from {places.index}: add --bundle, the one that the index was made with.")
    made_from = index.manifest.parents.get(dataset_layout.KIND)
    ids = read_catalogue(index.items)[ITEM_ID]
    for number, found in reversed(list(enumerate(surveys))):
        if found.dataset.manifest.digest == made_from:
            return index, number
    for number, found in reversed(list(enumerate(surveys))):
        if pc.all(pc.is_in(ids, read_catalogue(found.dataset.items)[ITEM_ID].combine_chunks())).as_py():
            return index, number
    raise UsageError(
        f"{places.index} has items that are in no data set that was given. Give the one that it was made of with "
        "--dataset, or leave --index out and make the index anew with `engine index` afterwards."
    )


def _items_in(index: IndexArtefact, items: frozenset[str]) -> frozenset[str]:
    ids = read_catalogue(index.items)[ITEM_ID]
    return frozenset(ids.filter(pc.is_in(ids, pa.array(sorted(items), pa.string()))).to_pylist())


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


def _in_order(outputs: list[Output]) -> tuple[Output, ...]:
    """Outputs, none before the one that it goes on from."""
    waiting, ordered = list(outputs), list[Output]()
    while waiting:
        digests = {output.manifest.digest for output in waiting}
        free = [output for output in waiting if output.manifest.parents.get(output_layout.KIND) not in digests]
        ordered += free
        waiting = [output for output in waiting if output not in free]
    return tuple(ordered)
