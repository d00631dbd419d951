"""How good the artefact is that is measured: its parity report, and how the very engine that is timed ranks.

Knows the report, the engine and a data set's histories; knows nothing of time. A bundle without its figures is refused:
a speed without them says nothing.
"""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import numpy.typing as npt

from engine_bench.suite.histogram import Interval
from engine_bench.suite.record import Quality
from engine_export.parity import ParityReport, read_report
from engine_models.metrics import estimate, per_user, places
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.histories import Histories
from engine_runtime.data.schema import ITEM_ID
from engine_runtime.data.stored import read_catalogue, read_histories
from engine_runtime.errors import ArtefactError, InputError
from engine_runtime.serve.engine import Engine

TOP_K = 10
USERS = 1000

EXACT = "fp32"
"""The variant that the others are held against; the report has no line for it."""

PARTS = ("text", "item", "refiner", "student", "tuned")
"""Parts of the report that have figures by variant."""

REQUIRED = {"int8": ("text", "refiner")}
"""Parts without which a variant is not known to be good; the refiner of the others is the float32 one."""


def parity_figures(bundle: Bundle, precision: str) -> dict[str, float]:
    """Figures of a bundle's parity report for one variant, as ``text cosine_mean``; float32's are 1 by definition.

    Raises
    ------
    ArtefactError
        The report is missing, cannot be read, or has no figures of the variant: the bundle cannot be benched.
    """
    try:
        report = read_report(bundle.parity.read_bytes())
    except FileNotFoundError as error:
        raise _refusal(bundle, f"its parity report {bundle.parity.name} is missing") from error
    except (OSError, ArtefactError) as error:
        raise _refusal(bundle, f"its parity report {bundle.parity.name} cannot be read ({error})") from error
    if precision == EXACT:
        return {f"{part} cosine_mean": 1.0 for part in ("text", "item", "refiner")}
    figures = _figures(report, precision)
    found = {name.partition(" ")[0] for name in figures}
    if absent := [part for part in REQUIRED.get(precision, ("text",)) if part not in found]:
        raise _refusal(
            bundle,
            f"its parity report {bundle.parity.name} has no figures of the variant {precision} under "
            f"{' and '.join(absent)}",
        )
    return figures


def measure_quality(engine: Engine, dataset: Dataset, n_users: int = USERS, seed: int = 0) -> Quality:
    """Parity of the variant that runs, and how the engine ranks last events over the whole catalogue, seen masked.

    Parameters
    ----------
    engine
        With an index; the one that is measured.
    dataset
        Whose users are asked for their last event from what came before it. An event whose item is not in the index is
        left out; a last event whose item was seen before cannot be found and counts as a miss.
    n_users, seed
        Users asked, at equal distances from a start that the seed chooses; all where there are fewer.

    Raises
    ------
    ArtefactError
        The bundle has no parity figures of the variant.
    InputError
        No user has two events in order.
    """
    parity = parity_figures(engine.bundle, engine.precision)
    asked = ask(engine, dataset, n_users, seed)
    before = asked.without_last(1)
    lists = engine.recommend(engine.profile(before), TOP_K).items
    values = per_user(places(lists, asked.last_items()))
    ndcg, recall = (_interval(values[name], seed) for name in (f"ndcg@{TOP_K}", f"recall@{TOP_K}"))
    return Quality(parity, ndcg, recall, len(asked))


def ask(engine: Engine, dataset: Dataset, n_users: int, seed: int = 0) -> Histories:
    """Histories of the users that are asked, their items numbered as in the index; raises `InputError` for none."""
    known = histories_for(engine, dataset)
    users = np.flatnonzero(known.n_ordered > 1)
    if not len(users):
        raise InputError(
            f"no user of {dataset.root} has two events in order whose items are in the index: how well the engine "
            "ranks cannot be measured. Give the data set that the index was made with."
        )
    return known.take(users[spread_evenly(len(users), n_users, seed)])


def histories_for(engine: Engine, dataset: Dataset) -> Histories:
    """All histories of a data set, items numbered as in the engine's index; events of other items are left out."""
    numbers = engine.item_numbers(read_catalogue(dataset.items)[ITEM_ID].to_pylist())
    whole = read_histories(dataset)
    named = replace(whole, items=numbers[whole.items])
    return named.where(named.items >= 0)


def spread_evenly(count: int, most: int, seed: int) -> npt.NDArray[np.int64]:
    """Numbers of at most `most` of `count` rows at equal distances, the first of them by the seed: int64, rising."""
    most = min(count, most)
    start = np.random.default_rng(seed).random()
    return ((np.arange(most) + start) * (count / most)).astype(np.int64)


def _figures(report: ParityReport, precision: str) -> dict[str, float]:
    return {
        f"{part} {name}": float(value)
        for part in PARTS
        if (found := getattr(report, part).get(precision)) is not None
        for name, value in asdict(found).items()
        if value is not None
    }


def _interval(values: npt.NDArray[np.float64], seed: int) -> Interval:
    found = estimate(values, seed)
    return Interval(found.mean, found.low, found.high)


def _refusal(bundle: Bundle, what: str) -> ArtefactError:
    return ArtefactError(
        f"the bundle in {bundle.root} cannot be benched: {what}, and a speed without its quality says nothing. Export "
        "the run again with `engine export`; every export writes the report."
    )
