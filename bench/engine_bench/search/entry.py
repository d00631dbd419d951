"""Comparisons of indexes, one for each set of vectors; knows where the vectors come from, nothing of processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine_bench.fingerprint import Surroundings
from engine_bench.rounds import Tell
from engine_bench.search.contenders import Known
from engine_bench.search.contest import Setting, compete
from engine_bench.search.results import Found
from engine_bench.search.vectors import Field
from engine_runtime.errors import InputError


def contest(members: Mapping[str, Known], fields: Sequence[Callable[[], Field]], setting: Setting, tell: Tell) -> Found:
    """Compare the contenders on each set of vectors; the sets are made one after the other, and held no longer.

    Parameters
    ----------
    members
        Who takes part, ours among them.
    fields
        What makes the sets of vectors.
    setting
        How.
    tell
        Told what happens, a line at a time.

    Raises
    ------
    EngineError
        Ours itself does not run.
    InputError
        There are fewer vectors than are wanted of a query.
    """
    contests = []
    for make in fields:
        field = make()
        if len(field.items) < setting.k:
            raise InputError(f"{field.origin}: {len(field.items)} vectors, and {setting.k} are wanted of a query.")
        tell(f"{field.origin}: {len(field.items):,} vectors of {field.items.shape[1]}")
        contests.append(compete(members, field, setting, tell))
    return Found(
        machine=Surroundings.here(),
        k=setting.k,
        target=setting.target,
        m=setting.m,
        ef_construction=setting.ef_construction,
        rounds=setting.rounds,
        contests=tuple(contests),
    )
