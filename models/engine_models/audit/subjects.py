"""The users that an audit asks of: their histories, their rows of the output, and what the engine makes of them now.

Brings a release, a data set and an engine together; knows nothing of attacks.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine_models.audit.released import VECTORS, Release
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.histories import Histories
from engine_runtime.data.schema import RANKABLE, USER_ID
from engine_runtime.data.stored import read_catalogue, read_histories, read_users
from engine_runtime.errors import InputError
from engine_runtime.profile.pseudonyms import pseudonyms
from engine_runtime.search.index import ExactIndex
from engine_runtime.serve.bucket import adapt
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.learned import align
from engine_runtime.serve.stock import stock_items

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
BOTH = "both"
"""Name of all vectors of a user side by side."""


@dataclass(frozen=True)
class Subjects:
    """Some users of a data set who are in a release.

    Attributes
    ----------
    engine
        Knows all items that the histories name.
    users
        int64 [n], rising: their numbers in the data set.
    rows
        int64 [n]: their rows of the release.
    histories
        Items numbered as the engine has them; row i is user i of `users`.
    released
        Vectors by column, float32 [n, width]; NaN where a user has none. Columns that nobody has are left out.
    numbers
        int32 [items of the data set]: their numbers for the engine, -1 for items that no event names.
    n_matched
        Users of the data set who were found in the release, with events or without.
    """

    engine: Engine
    users: Ints
    rows: Ints
    histories: Histories
    released: dict[str, Floats]
    numbers: npt.NDArray[np.int32]
    n_matched: int

    def __len__(self) -> int:
        """Return the number of users."""
        return len(self.users)

    def served(self, histories: Histories) -> dict[str, Floats]:
        """Vectors that the engine makes of histories, by the name of the output's column."""
        profiles = self.engine.profile(histories)
        return {"concepts": profiles.concepts, "query": profiles.query}

    @property
    def spaces(self) -> dict[str, tuple[str, ...]]:
        """What can be attacked: each column alone and, where there are both, both."""
        found = {name: (name,) for name in VECTORS if name in self.released}
        return found | ({BOTH: tuple(found)} if len(found) > 1 else {})


def load_engine(engine: Engine, dataset: Dataset) -> Engine:
    """An engine that knows a data set's items: as it is where it has an index, else with vectors made of the texts."""
    if engine.stock is not None:
        return engine
    catalogue = read_catalogue(dataset.items)
    stock = stock_items(catalogue, lambda texts: engine.encode(texts, "item"), engine.learned)
    return engine.with_items(ExactIndex(stock.vectors, catalogue[RANKABLE].to_numpy()), catalogue, stock.newcomers)


def choose_subjects(
    engine: Engine, dataset: Dataset, release: Release, key: bytes | None, most_users: int, seed: int
) -> Subjects:
    """Draw users who have events and a row of the release.

    Parameters
    ----------
    engine
        With an index, or as `load_engine` makes it.
    dataset
        Whose users are looked for.
    release
        Where they are looked for.
    key
        Of the pseudonyms; None where the release has the ids of the data set.
    most_users
        How many at most.
    seed
        Of the draw.

    Raises
    ------
    InputError
        No user of the data set is in the release.
    """
    ids = read_users(dataset)[USER_ID]
    sought = ids if key is None else pa.chunked_array([pa.array(pseudonyms(ids.to_pylist(), key), pa.string())])
    rows = align(sought, release.ids).astype(np.int64)
    source, histories = adapt(engine, dataset), read_histories(dataset)
    found = np.flatnonzero((rows >= 0) & (histories.lengths > 0))
    if not len(found):
        told = "with this key" if key is not None else "by their ids; where those are pseudonyms, give --key"
        raise InputError(
            f"no user of {dataset.root} with events is in {release.root}, {told}. Give the data set that was served."
        )
    drawn = np.sort(np.random.default_rng(seed).permutation(found)[:most_users])
    own = histories.take(drawn)
    columns = [name for name in VECTORS if name in release.columns]
    released = release.take(columns, rows[drawn]) if columns else {}
    return Subjects(
        engine=source.engine,
        users=drawn,
        rows=rows[drawn],
        histories=dataclasses.replace(own, items=source.numbers[own.items]),
        released={name: vectors for name, vectors in released.items() if np.isfinite(vectors).any()},
        numbers=source.numbers,
        n_matched=int((rows >= 0).sum()),
    )
