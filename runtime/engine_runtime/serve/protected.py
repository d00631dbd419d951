"""Rows of an output made into rows that may be given away: what is done to a table. Pure; writes no file.

Knows the columns of an output, and the functions of `engine_runtime.profile` that protect; knows nothing of artefacts.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine_runtime.data.schema import USER_ID
from engine_runtime.errors import InputError
from engine_runtime.profile import basics
from engine_runtime.profile.contributions import QueryHead, profile_alone
from engine_runtime.profile.erasure import FOLDS, Eraser
from engine_runtime.profile.interests import interests
from engine_runtime.profile.noise import Entropy, Mechanism, noisy
from engine_runtime.profile.pseudonyms import pseudonyms
from engine_runtime.serve.output import schema

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

QUERY, CONCEPTS, INTERESTS, BASICS = "query", "concepts", "interests", "basics"
VECTORS = (CONCEPTS, QUERY)
"""What is erased together, side by side in this order."""
OF_EVENTS = ("habits", "spending", BASICS, "recommendations", "n_events", "as_of")
"""Columns that are worked out of a user's events, and so are no part of a noisy row."""
DROPPABLE = (QUERY, CONCEPTS, INTERESTS, *OF_EVENTS)
MOST_VALUES = 100
"""Of an attribute that is erased; one that has more is a number that wants bands, or a name."""


@dataclass(frozen=True)
class Blur:
    """How profiles become noisy.

    Attributes
    ----------
    mechanism, epsilon, sigma
        As in `engine_runtime.profile.noise.noisy`.
    head
        Makes queries of noisy profiles.
    entropy
        Where random bytes come from.
    """

    mechanism: Mechanism
    epsilon: float
    sigma: float
    head: QueryHead
    entropy: Entropy = os.urandom


def released_schema(dim: int, n_concepts: int) -> pa.Schema:
    """Schema of a release: that of an output, where all but the name may be null."""
    return pa.schema([field.with_nullable(field.name != USER_ID) for field in schema(dim, n_concepts)])


def blind(table: pa.Table, key: bytes, blur: Blur | None, removed: Collection[str]) -> pa.Table:
    """Rows with pseudonyms, without the attributes `removed`, and with noise where there is a `blur`.

    Parameters
    ----------
    table
        Rows of an output.
    key
        Of the pseudonyms.
    blur
        Noisy rows keep profile and query, both made of the noisy profile, and lose what is worked out of events.
    removed
        Attributes that are taken out of the basics, given and predicted.
    """
    columns = {name: table[name] for name in table.column_names}
    columns[USER_ID] = pa.array(pseudonyms(table[USER_ID].to_pylist(), key), pa.string())
    columns[BASICS] = without(table[BASICS], removed)
    if blur is not None:
        profiles = noisy(matrix(table[CONCEPTS]), blur.mechanism, blur.epsilon, blur.sigma, blur.entropy)
        query = np.zeros((len(table), table.schema.field(QUERY).type.list_size), np.float32)
        asked = profile_alone(blur.head, profiles)
        query[:, : asked.shape[1]] = asked
        columns |= {CONCEPTS: listed(profiles), QUERY: listed(query)}
        columns |= {name: pa.nulls(len(table), table.schema.field(name).type) for name in OF_EVENTS}
    dims = (table.schema.field(name).type.list_size for name in (QUERY, CONCEPTS))
    return pa.table(columns, schema=released_schema(*dims))


def finish(
    table: pa.Table, erasers: Sequence[Eraser], names: Sequence[str] | None, dropped: Collection[str]
) -> pa.Table:
    """Blind rows in the order of their pseudonyms, with attributes erased from their vectors, and columns dropped.

    Parameters
    ----------
    table
        Of `blind`.
    erasers
        Of concepts and query side by side, one for each fold of users; none leaves vectors as they are. Rows of zeros,
        users without events, stay zero.
    names
        Of the concepts: interests are told anew from the vectors that are released; None leaves them.
    dropped
        Columns that become null.
    """
    table = table.sort_by(USER_ID)
    if erasers:
        found, fold = vectors(table), folds(table[USER_ID])
        told = found.any(axis=1)
        for number, eraser in enumerate(erasers):
            chosen = told & (fold == number)
            found[chosen] = eraser(found[chosen])
        n_concepts = table.schema.field(CONCEPTS).type.list_size
        table = _set(table, CONCEPTS, listed(found[:, :n_concepts]))
        table = _set(table, QUERY, listed(found[:, n_concepts:]))
    if names is not None:
        table = _set(table, INTERESTS, interests(matrix(table[CONCEPTS]), names))
    for name in dropped:
        table = _set(table, name, pa.nulls(len(table), table.schema.field(name).type))
    return table


def folds(names: pa.ChunkedArray) -> Ints:
    """The fold of each user, of `FOLDS`, by their pseudonym: int64 [users]."""
    return np.array([int(name[-8:], 16) % FOLDS for name in names.to_pylist()], np.int64)


def without(column: pa.ChunkedArray, removed: Collection[str]) -> pa.Array:
    """The basics without some attributes."""
    whole = pa.concat_arrays([chunk.cast(basics.TYPE) for chunk in column.chunks]) if column.num_chunks else None
    if whole is None or not removed:
        return column if whole is None else whole
    entries, owners = whole.flatten(), pc.list_parent_indices(whole)
    kept = pc.invert(pc.is_in(entries.field("name"), pa.array(sorted(removed), pa.string())))
    counts = np.bincount(owners.filter(kept).to_numpy(), minlength=len(whole))
    offsets = pa.array(np.concatenate(([0], np.cumsum(counts))).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, entries.filter(kept))


def one_hot(users: pa.Table, names: Sequence[str]) -> tuple[Floats, Bools]:
    """Values of attributes as columns: float32 [users, K]; and which users have them all: bool [users].

    Raises
    ------
    InputError
        An attribute has one value or none, or more than `MOST_VALUES`.
    """
    blocks, known = [], np.ones(len(users), np.bool_)
    for name in names:
        coded = users[name].combine_chunks().dictionary_encode()
        n_values = len(coded.dictionary)
        if not 2 <= n_values <= MOST_VALUES:
            raise InputError(
                f"the attribute '{name}' has {n_values} values; to be erased it has 2 to {MOST_VALUES}. Give numbers "
                "as bands, or leave it out of --remove."
            )
        codes = coded.indices.fill_null(-1).to_numpy()
        known &= codes >= 0
        blocks.append((codes[:, None] == np.arange(n_values)).astype(np.float32))
    return np.concatenate(blocks, axis=1), known


def vectors(table: pa.Table) -> Floats:
    """Concepts and query side by side: float32 [rows, C + d + w]."""
    return np.concatenate([matrix(table[name]) for name in VECTORS], axis=1)


def matrix(column: pa.ChunkedArray) -> Floats:
    """Lists of one length as a matrix, float32 [rows, length]."""
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, np.float32).reshape(len(column), column.type.list_size)


def listed(values: npt.NDArray[Any]) -> pa.FixedSizeListArray:
    """A matrix as lists of float32."""
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), pa.float32()), values.shape[1])


def _set(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(name), values)
