"""What is to be forgotten, looked up in all places where it may be, before anything is written.

Knows artefacts and what each holds of a request; changes nothing but what a run that was stopped has left beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from engine_runtime.artefacts import dataset as dataset_layout
from engine_runtime.artefacts import output as output_layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.output import Output
from engine_runtime.artefacts.overlay import read_overlay
from engine_runtime.artefacts.replacing import clear_leftovers
from engine_runtime.artefacts.unfinished import unfinished_folder
from engine_runtime.data.schema import ITEM_ID
from engine_runtime.data.stored import read_catalogue
from engine_runtime.data.survey import Event, Request, Survey, survey
from engine_runtime.errors import InputError, UsageError
from engine_runtime.serve.forgetting import Held, look_up

if TYPE_CHECKING:
    from collections.abc import Sequence
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
            | (items_in(self.index, self.request.items) if self.index else frozenset[str]()),
            frozenset[Event]().union(*(found.found.events for found in self.surveys)),
        )
        return sorted(set(self.request.lines) - set(known.lines))


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
    if not items_in(index, request.items):
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


def items_in(index: IndexArtefact, items: frozenset[str]) -> frozenset[str]:
    """The items that an index has."""
    ids = read_catalogue(index.items)[ITEM_ID]
    return frozenset(ids.filter(pc.is_in(ids, pa.array(sorted(items), pa.string()))).to_pylist())


def _in_order(outputs: list[Output]) -> tuple[Output, ...]:
    """Outputs, none before the one that it goes on from."""
    waiting, ordered = list(outputs), list[Output]()
    while waiting:
        digests = {output.manifest.digest for output in waiting}
        free = [output for output in waiting if output.manifest.parents.get(output_layout.KIND) not in digests]
        ordered += free
        waiting = [output for output in waiting if output not in free]
    return tuple(ordered)
