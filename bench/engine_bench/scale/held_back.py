"""Quality beside speed: the last event of some users is kept back before ingest, and what is served is judged by it.

Nothing that runs between has seen these events, so the figures are those of the very rows that a reader of the output
gets. Knows generated event files and outputs; knows nothing of models. ``python -m engine_bench.scale.held_back RAW
USERS`` splits the events in a process of its own.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_models.metrics import Estimate, estimate
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.output import USERS_FOLDER
from engine_runtime.data.schema import ITEM_ID, N_EVENTS

JUDGED_USERS = 10_000
DEPTH = 10
USER, ITEM, RECOMMENDED = "user_id", "item_id", "recommendations"
HELD_FILE, SHOWN_FOLDER = "held.parquet", "shown"


@dataclass(frozen=True)
class Judgement:
    """How well the events that were kept back are foreseen.

    Attributes
    ----------
    users
        Judged: those of the sample that had not had the item before.
    ndcg
        NDCG@10 of what was served, with its interval.
    popular
        NDCG@10 of showing everyone the ten items with most events.
    """

    users: int
    ndcg: Estimate
    popular: float


def hold_back(raw: Path, n_users: int) -> int:
    """Split generated events into those that are shown to the engine and the last ones of some users.

    Parameters
    ----------
    raw
        Folder with ``events/``, each file whole users in order of time. ``shown/`` and ``held.parquet`` are added.
    n_users
        Users in it; of these about `JUDGED_USERS` are taken, evenly.

    Returns
    -------
    int
        Events shown.
    """
    shown, held = raw / SHOWN_FOLDER, []
    shutil.rmtree(shown, ignore_errors=True)
    shown.mkdir()
    step, n_shown = max(n_users // JUDGED_USERS, 1), 0
    for path in sorted((raw / "events").glob("*.parquet")):
        events = pq.read_table(path)
        last = last_events(events, step)
        held.append(events.filter(last).select([USER, ITEM]))
        kept = events.filter(pc.invert(last))
        pq.write_table(kept, shown / path.name, compression="zstd", compression_level=1)
        n_shown += len(kept)
    pq.write_table(pa.concat_tables(held), raw / HELD_FILE)
    return n_shown


def last_events(events: pa.Table, step: int) -> pa.Array:
    """Whether each event is its user's last, for every `step`-th user of several events, where its item is new then.

    Parameters
    ----------
    events
        Of whole users, in order of time; ids end with the user's number.
    step
        One user of so many.
    """
    users = events[USER].combine_chunks().dictionary_encode()
    items = events[ITEM].combine_chunks().dictionary_encode()
    numbers = pc.utf8_slice_codeunits(users.dictionary, 1, None).cast(pa.int64()).to_numpy()
    codes, n_users = users.indices.to_numpy(), len(users.dictionary)
    pairs = codes.astype(np.int64) * len(items.dictionary) + items.indices.to_numpy()
    first = np.zeros(len(events), np.bool_)
    first[np.unique(pairs, return_index=True)[1]] = True
    last = np.zeros(n_users, np.int64)
    last[codes] = np.arange(len(events))  # the last one written stays
    taken = (numbers % step == 0) & (np.bincount(codes, minlength=n_users) > 1) & first[last]
    chosen = np.zeros(len(events), np.bool_)
    chosen[last[taken]] = True
    return pa.array(chosen)


def judge(raw: Path, dataset: Path, output: Path) -> Judgement:
    """Judge an output by the events kept back in `raw`; `dataset` is what it was served from."""
    held = pq.read_table(raw / HELD_FILE)
    users, wanted = held[USER].combine_chunks(), held[ITEM].to_pylist()
    parts = []
    for path in sorted((output / USERS_FOLDER).glob("*.parquet")):
        part = pq.read_table(path, columns=[USER, RECOMMENDED])
        parts.append(part.filter(pc.is_in(part[USER], value_set=users)))
    served = pa.concat_tables(parts)
    rows = served[RECOMMENDED].take(pc.index_in(users, value_set=served[USER].combine_chunks()))
    lists = [[entry[ITEM_ID] for entry in row] for row in rows.to_pylist()]
    gains = np.array([gain(row, item) for row, item in zip(lists, wanted, strict=True)])
    items = pq.read_table(Dataset.open(dataset, verify=False).items, columns=[ITEM_ID, N_EVENTS])
    popular = items.sort_by([(N_EVENTS, "descending")])[ITEM_ID][:DEPTH].to_pylist()
    shown = float(np.mean([gain(popular, item) for item in wanted])) if wanted else 0.0
    return Judgement(len(wanted), estimate(gains), shown)


def gain(served: list[str], wanted: str) -> float:
    """NDCG@10 of a list for the one item that is wanted: 1 / log2(place + 2) within the first ten, else 0."""
    place = served[:DEPTH].index(wanted) if wanted in served[:DEPTH] else None
    return 0.0 if place is None else float(1 / np.log2(place + 2))


if __name__ == "__main__":
    json.dump({"events": hold_back(Path(sys.argv[1]), int(sys.argv[2]))}, sys.stdout)
