"""Mask the strongest interest of real users, and hold what is served against what was served before.

Prints how many items of the masked concepts are among the ten best before and after, whether lists are as long as they
were, whether the rows of all other users are the same to the bit, and, where the newest event of each of them is taken
for the answer, their NDCG@10 both ways.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.output import Output
from engine_runtime.artefacts.overlay import Correction, Overlay
from engine_runtime.data.stored import read_histories
from engine_runtime.profile.correction import concepts_of_items
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.bucket import Source, adapt, serve_users
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.stages import Stages

TOP = 10
BLOCK = 256


@dataclass(frozen=True)
class Counts:
    """What a masked user has among their ten best: items of the masked concept, and items at all."""

    masked: int
    shown: int


def rows_of(output: Output) -> pa.Table:
    """All rows of an output."""
    return pa.concat_tables(pq.read_table(output.part(number)) for number in range(output.info.n_parts))


def strongest(rows: pa.Table, count: int, generator: np.random.Generator) -> dict[str, int]:
    """Random users with a profile, and the concept that is strongest in each."""
    profiles = np.stack(rows["concepts"].to_numpy())
    known = np.flatnonzero(profiles.any(axis=1))
    chosen = generator.choice(known, min(count, len(known)), replace=False)
    ids = rows["user_id"].take(pa.array(chosen)).to_pylist()
    return dict(zip(ids, profiles[chosen].argmax(axis=1).tolist(), strict=True))


def count(rows: pa.Table, masked: dict[str, int], concepts: dict[str, int]) -> Counts:
    """Look at the lists of the masked users; `concepts` has the concept of each item."""
    hits = shown = 0
    for user, found in zip(rows["user_id"].to_pylist(), rows["recommendations"].to_pylist(), strict=True):
        if user in masked:
            shown += len(found)
            hits += sum(concepts[item["item_id"]] == masked[user] for item in found)
    return Counts(hits, shown)


def ndcg(source: Source, users: npt.NDArray[np.int64]) -> float:
    """NDCG@10 of the newest event of users, served without it."""
    histories = read_histories(source.dataset).take(users)
    people = pq.read_table(source.dataset.users).take(pa.array(users))
    answers = source.numbers[histories.last_items()]
    ids = source.engine.shelf.catalogue["item_id"].to_pylist()
    earlier, gains = histories.without_last(1), 0.0
    for start in range(0, len(users), BLOCK):
        stop = min(start + BLOCK, len(users))
        part = people.slice(start, stop - start)
        served = serve_users(source, part, earlier.slice(start, stop), TOP, Stages())["recommendations"].to_pylist()
        for answer, found in zip(answers[start:stop], served, strict=True):
            places = [place for place, item in enumerate(found) if ids[answer : answer + 1] == [item["item_id"]]]
            gains += sum(1 / np.log2(place + 2) for place in places)
    return gains / max(1, len(users))


def main() -> None:
    """Check one bundle with its index and data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--events", type=Path, required=True)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--judged", type=int, default=2000, help="Other users whose NDCG@10 is worked out.")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    engine, dataset = Engine.load(options.bundle, options.index), Dataset.open(options.events)
    generator = np.random.default_rng(options.seed)
    names = engine.learned.concept_names
    with tempfile.TemporaryDirectory() as folder:
        before = rows_of(serve_batch(engine, dataset, Path(folder) / "before", top_k=TOP)[0])
        masked = strongest(before, options.users, generator)
        said: dict[str, tuple[Correction, ...]] = {
            user: (Correction(names[concept], "mask", 0.0, "now"),) for user, concept in masked.items()
        }
        overlay = Overlay(users=said)
        after = rows_of(serve_batch(engine, dataset, Path(folder) / "after", top_k=TOP, overlay=overlay)[0])
    belongs = concepts_of_items(engine.shelf.directions, engine.learned.centres).tolist()
    concepts = dict(zip(engine.shelf.catalogue["item_id"].to_pylist(), belongs, strict=True))
    first, second = count(before, masked, concepts), count(after, masked, concepts)
    others = pa.array([user not in masked for user in before["user_id"].to_pylist()])
    same = before.filter(others).equals(after.filter(others))
    judged = np.flatnonzero(others.to_numpy(zero_copy_only=False) & (read_histories(dataset).n_ordered > 1))
    judged = np.sort(generator.choice(judged, min(options.judged, len(judged)), replace=False))
    plain, corrected = (ndcg(adapt(engine, dataset, overlay=one), judged) for one in (None, overlay))
    click.echo(f"{len(masked):,} users of {options.events} mask their strongest concept, {engine.precision}")
    click.echo(f"  items of masked concepts among the best {TOP}  {first.masked:,} before, {second.masked:,} after")
    click.echo(f"  items in their lists                        {first.shown:,} before, {second.shown:,} after")
    click.echo(f"  rows of {sum(others.to_pylist()):,} others the same to the bit  {'yes' if same else 'NO'}")
    click.echo(f"  NDCG@10 of {len(judged):,} others                  {plain:.6f} before, {corrected:.6f} after")


if __name__ == "__main__":
    main()
