"""One user of a data set, served and ready to be shown. Knows the batch's own functions; words come from below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.overlay import Overlay
from engine_runtime.data.histories import Histories
from engine_runtime.data.schema import USER_ID
from engine_runtime.data.stored import read_bucket, read_catalogue, read_users, titles
from engine_runtime.errors import InputError
from engine_runtime.profile.written import prompt, written
from engine_runtime.serve.bucket import adapt, serve_users
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.stages import Stages

NEWEST = 5


@dataclass(frozen=True)
class Portrait:
    """A served user.

    Attributes
    ----------
    row
        Their row of the output; see `engine_runtime.serve.output.schema`.
    newest
        Titles of their newest items, newest first.
    titles
        Titles of the recommended items, best first.
    currency
        Of what they spent; empty where the data set does not say.
    """

    row: dict[str, Any]
    newest: list[str]
    titles: list[str]
    currency: str

    def written(self, language: str = "en") -> list[str]:
        """The profile in sentences; see `engine_runtime.profile.written`."""
        return written(self.row, titles=self.titles, newest=self.newest, currency=self.currency, language=language)

    def prompt(self, language: str = "en") -> str:
        """What a language model may be asked, to write it; no id is in it."""
        return prompt(self.row, titles=self.titles, newest=self.newest, currency=self.currency, language=language)


def portray(
    engine: Engine, dataset: Dataset, user_id: str, top_k: int = 10, overlay: Overlay | None = None
) -> Portrait:
    """Serve one user of a data set, with their corrections where an overlay is given.

    Raises
    ------
    InputError
        The data set has no such user.
    """
    source, users = adapt(engine, dataset, overlay=overlay), read_users(dataset)
    user = _row(dataset, users, user_id)
    histories = _history(dataset, user)
    row = serve_users(source, users.slice(user, 1), histories, top_k, Stages()).to_pylist()[0]
    newest = read_catalogue(dataset.items).take(pa.array(histories.items[::-1][:NEWEST]))
    shown = engine.item_numbers([found["item_id"] for found in row["recommendations"]])
    recommended = engine.shelf.catalogue.take(pa.array(shown))
    return Portrait(row, titles(newest), titles(recommended), dataset.info.currency)


def history_of(dataset: Dataset, user_id: str) -> Histories:
    """The history of one user, items numbered as in the data set; raises `InputError` where there is no such user."""
    return _history(dataset, _row(dataset, read_users(dataset), user_id))


def _row(dataset: Dataset, users: pa.Table, user_id: str) -> int:
    user: int = pc.index(users[USER_ID], pa.scalar(user_id, pa.string())).as_py()
    if user < 0:
        raise InputError(f"{dataset.root} has no user '{user_id}' among its {dataset.info.n_users:,}.")
    return user


def _history(dataset: Dataset, user: int) -> Histories:
    bucket = int(np.searchsorted(dataset.info.bucket_users, user, side="right")) - 1
    first = dataset.info.bucket_users[bucket]
    return read_bucket(dataset, bucket).take([user - first])
