"""One row a user: the schema of what `serve-batch` writes, and how a row comes together. Pure; writes no file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine_runtime.data.histories import Histories
from engine_runtime.data.schema import USER_ID
from engine_runtime.profile import basics, habits, interests, spending
from engine_runtime.profile.labels import Prediction
from engine_runtime.profile.spending import Market
from engine_runtime.search.fusion import Ranking
from engine_runtime.serve.engine import Profiles

RECOMMENDATIONS = pa.list_(pa.struct([pa.field("item_id", pa.string()), pa.field("score", pa.float32())]))
MOMENT = pa.timestamp("ms", tz="UTC")  # Parquet has none in seconds


@dataclass(frozen=True)
class Names:
    """What numbers mean to a reader.

    Attributes
    ----------
    concepts, event_types, attributes
        In order.
    item_ids
        Of the catalogue.
    market
        Its price bands and brands.
    as_of
        Moment of the newest event, seconds since 1970; None where no event has a time.
    """

    concepts: list[str]
    event_types: tuple[str, ...]
    attributes: tuple[str, ...]
    item_ids: pa.Array
    market: Market
    as_of: int | None


def schema(dim: int, n_concepts: int) -> pa.Schema:
    """Schema of the output, for queries of width `dim` and profiles of width `n_concepts`."""
    return pa.schema(
        [
            pa.field("user_id", pa.string(), nullable=False),
            pa.field("query", pa.list_(pa.float32(), dim)),
            pa.field("concepts", pa.list_(pa.float32(), n_concepts)),
            pa.field("interests", interests.TYPE),
            pa.field("habits", habits.TYPE),
            pa.field("spending", spending.TYPE),
            pa.field("basics", basics.TYPE),
            pa.field("recommendations", RECOMMENDATIONS),
            pa.field("n_events", pa.int32(), nullable=False),
            pa.field("as_of", MOMENT),
        ]
    )


def rows(
    users: pa.Table,
    histories: Histories,
    profiles: Profiles,
    ranking: Ranking,
    names: Names,
    predictions: Sequence[Prediction] = (),
) -> pa.Table:
    """The output's rows for some users.

    Parameters
    ----------
    users
        Their rows of the data set's users.
    histories
        Their events, those on unknown items included.
    profiles, ranking
        What the engine made of them.
    names
        What numbers mean.
    predictions
        Attributes of the users that are predicted.
    """
    columns = [
        users[USER_ID].combine_chunks(),
        _fixed(profiles.query),
        _fixed(profiles.concepts),
        interests.interests(profiles.concepts, names.concepts),
        habits.habits(histories, names.event_types, names.as_of),
        spending.spending(histories, names.market),
        basics.basics(users, names.attributes, predictions),
        recommendations(ranking, names.item_ids),
        pa.array(histories.lengths.astype(np.int32)),
        pa.array([names.as_of] * len(users), pa.timestamp("s", tz="UTC")).cast(MOMENT),
    ]
    dim, n_concepts = profiles.query.shape[1], profiles.concepts.shape[1]
    return pa.Table.from_arrays(columns, schema=schema(dim, n_concepts))


def recommendations(ranking: Ranking, item_ids: pa.Array) -> pa.ListArray:
    """list<struct<item_id, score>> of each user, best first."""
    kept = ranking.items >= 0
    offsets = np.concatenate(([0], np.cumsum(kept.sum(1)))).astype(np.int32)
    chosen = item_ids.take(pa.array(ranking.items[kept]))
    scores = pa.array(ranking.scores[kept], pa.float32())
    fields = list(RECOMMENDATIONS.value_type)
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([chosen, scores], fields=fields))


def _fixed(values: npt.NDArray[np.float32]) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
