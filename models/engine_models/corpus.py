"""A data set as training and evaluation read it: catalogue, split histories, counts. Knows files; knows no model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from engine_models.concepts import Described
from engine_models.split import Ints, Split, leave_one_out, until
from engine_models.windows import Events
from engine_runtime.artefacts.dataset import Dataset, Scale
from engine_runtime.data.inputs import model_inputs
from engine_runtime.data.schema import CATEGORY, ITEM_ID, RANKABLE, TEXT, TRAINED
from engine_runtime.data.stored import read_catalogue, read_histories, titles
from engine_runtime.errors import InputError
from engine_runtime.search.fusion import Seen


@dataclass(frozen=True)
class Corpus:
    """What there is to learn from.

    Attributes
    ----------
    catalogue
        Of schema `engine_runtime.data.schema.ITEMS`.
    rankable
        bool [items].
    split
        The histories, and what is held out of them.
    popularity
        int64 [items]: events to learn of each item in the training part.
    withheld
        bool [items]: items whose events training does not see, although there are some.
    """

    catalogue: pa.Table
    rankable: npt.NDArray[np.bool_]
    split: Split
    popularity: Ints
    withheld: npt.NDArray[np.bool_]

    @property
    def trained(self) -> Ints:
        """Items with events in the training part."""
        return np.flatnonzero(self.popularity)

    @property
    def n_learned(self) -> int:
        """Users with events to learn in the training part."""
        return int(np.count_nonzero(np.diff(self.training_part()[1])))

    @property
    def texts(self) -> list[str]:
        """Texts of the catalogue."""
        return list(self.catalogue[TEXT].to_pylist())

    def described(self) -> Described:
        """What the items that may be recommended say of themselves."""
        shown = self.catalogue.filter(pa.array(self.rankable))
        return Described(shown[TEXT].to_pylist(), titles(shown), shown[CATEGORY].to_pylist())

    @property
    def n_users(self) -> Ints:
        """Users with the item in their history, held out events included: int64 [items]."""
        histories, n_items = self.split.histories, len(self.rankable)
        pairs = np.unique(histories.rows.astype(np.int64) * n_items + histories.items)
        return np.bincount(pairs % n_items, minlength=n_items)

    @property
    def item_ids(self) -> pa.Table:
        """The columns `item_id` and `trained`."""
        return self.catalogue.select([ITEM_ID]).append_column(TRAINED, pa.array(self.popularity > 0))

    def withholding(self, items: npt.NDArray[np.bool_]) -> Corpus:
        """The corpus as if the items of the mask, bool [items], came out after the training."""
        return replace(self, withheld=items, popularity=np.where(items, 0, self.popularity))

    def training_part(self) -> tuple[npt.NDArray[np.int32], Ints]:
        """Items to learn of the training part, one user after another, and their offsets."""
        histories = self.split.histories
        kept = _in_training(self.split) & self.split.is_target & ~self.withheld[histories.items]
        before = np.concatenate(([0], np.cumsum(kept))).astype(np.int64)
        return histories.items[kept], before[histories.offsets]

    def seen(self, users: Ints, stops: Ints) -> Seen:
        """What some users have met before the events numbered by `stops`."""
        histories = until(self.split.histories, users, stops)
        return Seen(histories.offsets, histories.items)


def read_corpus(dataset: Dataset) -> Corpus:
    """Read and split a data set.

    Raises
    ------
    InputError
        It holds no history to learn from.
    """
    corpus = read_part(dataset)
    split = corpus.split
    if not corpus.popularity.any() or int((split.train_stops - split.histories.offsets[:-1]).max(initial=0)) < 2:
        raise InputError(
            f"{dataset.root} has no history to learn from: no user has two ordered events beside the two held out for "
            "validation and test. Check the time or order column and the event weights in its TOML."
        )
    return corpus


def read_part(dataset: Dataset, most_items: int | None = None) -> Corpus:
    """Read and split a data set, or of a larger catalogue a part: items chosen evenly, numbered anew, and their events.

    In a part, users without events to hold out are left out: what is held out of their whole history may be among the
    few events that are left of it. There may be nothing to learn from.
    """
    catalogue, histories = read_catalogue(dataset.items), read_histories(dataset)
    weights = dataset.info.event_weights
    if most_items is not None and len(catalogue) > most_items:
        chosen = evenly(len(catalogue), most_items)
        number = np.full(len(catalogue), -1, np.int32)
        number[chosen] = np.arange(len(chosen))
        kept = histories.where(number[histories.items] >= 0)
        catalogue, histories = catalogue.take(chosen), replace(kept, items=number[kept.items])
        asked = np.zeros(len(histories.lengths), np.bool_)
        asked[leave_one_out(histories, weights, catalogue[RANKABLE].to_numpy()).users] = True
        histories = histories.where(np.repeat(asked, histories.lengths))
    rankable = catalogue[RANKABLE].to_numpy()
    split = leave_one_out(histories, weights, rankable)
    learned = split.histories.items[_in_training(split) & split.is_target]
    popularity = np.bincount(learned, minlength=len(rankable))
    return Corpus(catalogue, rankable, split, popularity, np.zeros(len(rankable), np.bool_))


def evenly(count: int, most: int) -> Ints:
    """Numbers of at most `most` of `count` rows, spread evenly: int64."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(np.int64))


def events_of(split: Split, value: Scale, gap: Scale, device: torch.device) -> Events:
    """The events of `split` as tensors, scaled as a model reads them."""
    histories = split.histories
    inputs = model_inputs(histories, value, gap, max_events=max(histories.n_events, 1))
    return Events(
        items=torch.from_numpy(histories.items.astype(np.int64)).to(device),
        types=torch.from_numpy(histories.types.astype(np.int64)).to(device),
        values=torch.from_numpy(inputs.values).to(device),
        gaps=torch.from_numpy(inputs.gaps).to(device),
        is_target=torch.from_numpy(split.is_target).to(device),
    )


def _in_training(split: Split) -> npt.NDArray[np.bool_]:
    return np.arange(len(split.is_target)) < np.repeat(split.train_stops, np.diff(split.histories.offsets))
