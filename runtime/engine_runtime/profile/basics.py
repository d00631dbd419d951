"""Basics: what a user's record says, and what is predicted where it says nothing. Pure; knows a table of users."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine_runtime.profile.labels import Prediction

FIELDS = [pa.field("name", pa.string()), pa.field("value", pa.string()), pa.field("probability", pa.float32())]
TYPE = pa.list_(pa.struct(FIELDS))


def basics(users: pa.Table, attributes: Sequence[str], predictions: Sequence[Prediction] = ()) -> pa.ListArray:
    """The attributes of each user.

    Parameters
    ----------
    users
        With a string column for each attribute.
    attributes
        Their names.
    predictions
        For these users; each is shown where the attribute is not given.

    Returns
    -------
    list<struct<name: string, value: string, probability: float>> [users]
        A given value has no probability, a predicted one that of the likeliest class. What is neither given nor
        predicted is left out. Attributes that are predicted alone come last.
    """
    predicted = {prediction.name: prediction for prediction in predictions}
    names = list(dict.fromkeys([*attributes, *predicted]))
    columns = [_column(users, name, name in attributes, predicted.get(name)) for name in names]
    present = np.array([values.is_valid().to_numpy(zero_copy_only=False) for values, _ in columns], bool)
    present = present.reshape(len(columns), len(users)).T
    which, row = np.meshgrid(np.arange(len(columns)), np.arange(len(users)))
    chosen = pa.array((which * len(users) + row)[present])
    values = pa.chunked_array([column for column, _ in columns], pa.string()).take(chosen)
    probabilities = pa.chunked_array([column for _, column in columns], pa.float32()).take(chosen)
    named = pa.array(names, pa.string()).take(pa.array(which[present]))
    offsets = np.concatenate(([0], np.cumsum(present.sum(1)))).astype(np.int32)
    parts = [named, pa.concat_arrays(values.chunks), pa.concat_arrays(probabilities.chunks)]
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(parts, fields=FIELDS))


def _column(users: pa.Table, name: str, given: bool, prediction: Prediction | None) -> tuple[pa.Array, pa.Array]:
    """Value and probability of one attribute of each user; null where there is none."""
    values = users[name].combine_chunks() if given else pa.nulls(len(users), pa.string())
    if prediction is None:
        return values, pa.nulls(len(users), pa.float32())
    known = ~np.isnan(prediction.probabilities[:, 0])
    likeliest = np.nan_to_num(prediction.probabilities).argmax(1)
    guesses = pa.array(prediction.classes, pa.string()).take(pa.array(likeliest, mask=~known))
    best = prediction.probabilities[np.arange(len(users)), likeliest]
    silent = values.is_valid().to_numpy(zero_copy_only=False) | ~known
    return pc.coalesce(values, guesses), pa.array(best, pa.float32(), mask=silent)
