"""What is measured: an engine as a target runs it, the histories of a data set, and how good its answers are.

Made once, for all scenarios. Knows artefacts; knows nothing of what is measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine_bench.suite.loading import load_on
from engine_bench.suite.quality import measure_quality
from engine_bench.suite.record import Quality
from engine_bench.suite.targets import Target
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.histories import Histories
from engine_runtime.data.schema import ITEM_ID
from engine_runtime.data.stored import read_catalogue, read_histories
from engine_runtime.errors import InputError
from engine_runtime.inference.session import available_cpus
from engine_runtime.serve.engine import Engine, check_event_types


@dataclass(frozen=True)
class Subject:
    """What all scenarios are given.

    Attributes
    ----------
    target
        What the engine is run as.
    engine
        Loaded, with its index.
    index
        Folder of that index.
    dataset
        Whose users ask.
    histories
        Of all of them, items numbered as in the index.
    quality
        Of the engine on them.
    """

    target: Target
    engine: Engine
    index: Path
    dataset: Dataset
    histories: Histories
    quality: Quality

    @classmethod
    def load(cls, target: Target, bundle: Path, index: Path, dataset: Path) -> Subject:
        """Load, verify and judge all of it.

        Raises
        ------
        ArtefactError
            Something is damaged, does not belong together, or has no parity report.
        InputError
            No user has two events in order.
        """
        engine, opened = load_on(target, bundle, index), Dataset.open(dataset)
        check_event_types(engine.info, opened)
        quality = measure_quality(engine, opened)
        return cls(target, engine, index, opened, _numbered(engine, opened), quality)

    @property
    def threads(self) -> int:
        """Worker threads of the engine."""
        return self.engine.threads or available_cpus()

    def asking(self, seed: int) -> Histories:
        """Those who have a history, in a random order; raises `InputError` where nobody has."""
        some = np.flatnonzero(self.histories.lengths > 0)
        if not len(some):
            raise InputError("no user has an event whose item is in the index. Give the data set of the index.")
        return self.histories.take(np.random.default_rng(seed).permutation(some))

    def tokens(self, histories: Histories) -> dict[str, int]:
        """Events that the refiner reads: histories of one length share a batch, so that none is padded."""
        read = int(np.minimum(histories.lengths, self.engine.info.shape.max_events).sum())
        return {"real": read, "padded": read}


def _numbered(engine: Engine, dataset: Dataset) -> Histories:
    """All histories, items numbered as in the index; events of other items are left out."""
    numbers = engine.item_numbers(read_catalogue(dataset.items)[ITEM_ID].to_pylist())
    whole = read_histories(dataset)
    named = replace(whole, items=numbers[whole.items])
    return named.where(named.items >= 0)
