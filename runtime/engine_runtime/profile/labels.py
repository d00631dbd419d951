"""Labels: attributes of users predicted from what they did and from their profile.

All heads are columns of the same arrays, one for each class. A class's score of a user is

    bias + sqrt(z_u) . profile + sum over their items i of  s_i (e_i . shared + own_i + v_i valued_i)

with v_i the scaled value of their newest event on item i, and s_i its share, ``rarity_i / |rarity over their items|``
(length 1 over the user's items), ``rarity = (1 + users of the item) ** -1/4``. As an item's vector is what its text
says and a residual, so an item's weight is what its vector says and an own part: a new item counts by its vector
alone. The probabilities are the softmax over the head's columns.

Knows arrays and one file of them; knows nothing of data sets or of how the weights were fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.arrays import load_arrays, save_arrays
from engine_runtime.artefacts.labels import LabelInfo
from engine_runtime.data.histories import Histories
from engine_runtime.errors import ArtefactError

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Prediction:
    """One attribute of some users.

    Attributes
    ----------
    name
        Of the attribute.
    classes
        What the columns stand for.
    probabilities
        float32 [users, classes]; rows sum to 1, and are NaN for a user of whom no event is known.
    """

    name: str
    classes: tuple[str, ...]
    probabilities: Floats


@dataclass(frozen=True)
class Evidence:
    """The distinct items of users, by what they tell.

    Attributes
    ----------
    rows
        int64 [entries]: user.
    items
        int32 [entries].
    shares
        float32 [entries]: s_i; the squares of a user's sum to 1.
    values
        float32 [entries]: v_i.
    """

    rows: Ints
    items: npt.NDArray[np.int32]
    shares: Floats
    values: Floats


def evidence(histories: Histories, values: Floats, rarity: Floats) -> Evidence:
    """What users' ordered events tell: one entry for each of their items, its newest event.

    Parameters
    ----------
    histories
        Of users.
    values
        float32 [events]: scaled, 0 where there is none.
    rarity
        float32 [items].
    """
    rows, events = histories.rows, np.flatnonzero(histories.ordered)[::-1]
    pairs = rows[events] * len(rarity) + histories.items[events]
    newest = np.sort(events[np.unique(pairs, return_index=True)[1]])
    rows, items = rows[newest], histories.items[newest]
    shares = rarity[items]
    lengths = np.sqrt(np.bincount(rows, shares.astype(np.float64) ** 2, minlength=len(histories)))
    return Evidence(rows, items, (shares / lengths[rows]).astype(np.float32), values[newest])


@dataclass(frozen=True)
class LabelHeads:
    """Weights of all heads side by side; K columns.

    Attributes
    ----------
    rarity
        float32 [items].
    own, valued
        float32 [items, K].
    shared
        float32 [d, K].
    profile
        float32 [C, K].
    bias
        float32 [K].
    """

    rarity: Floats
    own: Floats
    valued: Floats
    shared: Floats
    profile: Floats
    bias: Floats

    def save(self, path: Path) -> None:
        """Write the weights as ``.npz``."""
        save_arrays(self, path)

    @classmethod
    def load(cls, path: Path, infos: Sequence[LabelInfo]) -> LabelHeads:
        """Read what `save` wrote; raises `ArtefactError` where it is damaged or not that of `infos`."""
        heads = load_arrays(cls, path, "label heads")
        columns, widths = sum(len(info.classes) for info in infos), heads.widths
        if widths != {columns}:
            raise ArtefactError(
                f"{path} has heads of {sorted(widths)} columns, its manifest names {columns} classes. Make it again."
            )
        return heads

    @property
    def widths(self) -> set[int]:
        """Columns of the arrays; one number, if they belong together."""
        return {array.shape[-1] for array in (self.own, self.valued, self.shared, self.profile, self.bias)}

    def renumbered(self, rows: npt.NDArray[np.int32], vectors: Floats) -> LabelReader:
        """The heads for a catalogue.

        Parameters
        ----------
        rows
            int32 [items]: row of each of the catalogue's items here, -1 for one that the fit has not known.
        vectors
            float32 [items, d].
        """
        known = np.flatnonzero(rows >= 0)
        rarity, plain = np.ones(len(rows), np.float32), vectors @ self.shared
        valued = np.zeros_like(plain)
        rarity[known] = self.rarity[rows[known]]
        plain[known] += self.own[rows[known]]
        valued[known] = self.valued[rows[known]]
        return LabelReader(self, rarity, np.ascontiguousarray(plain.T), np.ascontiguousarray(valued.T))


@dataclass(frozen=True)
class LabelReader:
    """Heads ready to read histories of one catalogue.

    Attributes
    ----------
    heads
        As fitted.
    rarity
        float32 [items].
    plain, valued
        float32 [K, items]: weight of an item, and of its value.
    """

    heads: LabelHeads
    rarity: Floats
    plain: Floats
    valued: Floats

    def logits(self, histories: Histories, values: Floats, profiles: Floats) -> Floats:
        """Scores of every class: float32 [users, K].

        Parameters
        ----------
        histories
            In the catalogue's numbers.
        values
            float32 [events], scaled.
        profiles
            z_u: float32 [users, C].
        """
        told = evidence(histories, values, self.rarity)
        scores = np.sqrt(profiles) @ self.heads.profile + self.heads.bias
        for column, (plain, valued) in enumerate(zip(self.plain, self.valued, strict=True)):
            each = told.shares * (plain[told.items] + told.values * valued[told.items])
            scores[:, column] += np.bincount(told.rows, each, minlength=len(histories))
        return scores

    def predict(
        self, infos: Sequence[LabelInfo], histories: Histories, values: Floats, profiles: Floats
    ) -> list[Prediction]:
        """Every attribute of `infos`, which name the columns in order; for the others see `logits`."""
        scores = self.logits(histories, values, profiles)
        scores[histories.n_ordered == 0] = np.nan
        stops = np.cumsum([len(info.classes) for info in infos])
        parts = np.split(scores, stops[:-1], axis=1)
        return [Prediction(info.name, info.classes, softmax(part)) for info, part in zip(infos, parts, strict=True)]


def softmax(scores: Floats) -> Floats:
    """Each row's softmax; NaN stays NaN."""
    grown = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(grown / grown.sum(1, keepdims=True))
