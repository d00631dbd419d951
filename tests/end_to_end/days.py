"""What a second worker brings, and what a day costs of which one user in a hundred has events: ``make days``.

On a data set and the index that `engine bench scale` has left. A day is made up for the users, appended, and served
twice: whole, and since the output of before. Prints time of the clock and CPU time of each command, their shares, and
how far the rows of the one are from those of the other.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine_bench.scale.steps import engine
from engine_bench.scale.watched import Watched, run_watched
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.output import Output
from engine_runtime.data.stored import read_catalogue, read_users

SHARE = 100
"""One user in so many has events that day, one to three."""


def make_day(dataset: Dataset, raw: Path, out: Path, seed: int) -> None:
    """Events of some users in the hour before the newest one, in the columns of the raw files."""
    generator = np.random.default_rng(seed)
    users, items = read_users(dataset)["user_id"], read_catalogue(dataset.items)["item_id"]
    chosen = generator.permutation(len(users))[: max(1, len(users) // SHARE)]
    who = np.repeat(chosen, generator.integers(1, 4, len(chosen)))
    count, last = len(who), dataset.info.last_time or 0
    columns = {
        "user_id": users.take(pa.array(who)),
        "item_id": items.take(pa.array(generator.integers(0, len(items), count))),
        "type": pa.array([dataset.info.event_types[0]] * count),
        "time": pa.array(last - generator.integers(0, 3600, count)),
        "quantity": pa.array(np.ones(count)),
        "price": pa.array(np.full(count, 9.5)),
    }
    kinds = pq.read_schema(next(raw.glob("*.parquet")))
    table = pa.table({field.name: columns[field.name].cast(field.type) for field in kinds})
    out.mkdir(exist_ok=True)
    pq.write_table(table, out / "day.parquet")


def largest(one: Output, whole: Output) -> tuple[int, float, int]:
    """Rows of an output, their largest difference from those of another in any vector, and how many lists are equal."""
    rows, worst, equal = 0, 0.0, 0
    for number in range(one.info.n_parts):
        part, other = pq.read_table(one.part(number)), pq.read_table(whole.part(number))
        place = {name: row for row, name in enumerate(other["user_id"].to_pylist())}
        other = other.take(pa.array([place[name] for name in part["user_id"].to_pylist()], pa.int64()))
        rows += len(part)
        for name in ("query", "concepts") if len(part) else ():
            found, expected = (np.asarray(table[name].combine_chunks().flatten()) for table in (part, other))
            worst = max(worst, float(np.abs(found - expected).max()))
        lists = (table["recommendations"].to_pylist() for table in (part, other))
        equal += sum(
            [item["item_id"] for item in left] == [item["item_id"] for item in right]
            for left, right in zip(*lists, strict=True)
        )
    return rows, worst, equal


def main(arguments: list[str]) -> int:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workdir", type=Path, required=True, help="Of `engine bench scale`.")
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=4)
    given = parser.parse_args(arguments)
    folder, bundle = given.workdir / f"users-{given.users}", given.workdir / "bundle" / "bundle"
    work = folder / "days"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()

    def timed(name: str, *command: str | Path) -> Watched:
        took = run_watched(engine(*command), work / "answer.json", work / "log")
        click.echo(f"{name:12} {took.seconds:8.1f} s {took.cpu:8.1f} CPU s")
        return took

    def serve(name: str, events: Path, *options: str | Path) -> Watched:
        common = ("--bundle", bundle, "--index", folder / "index", "--events", events, "--force")
        return timed(name, "serve-batch", *common, *options)

    ratios = []
    for _ in range(given.rounds):
        one, two = (
            serve(f"workers {n}", folder / "dataset", "--workers", str(n), "--out", work / "before") for n in (1, 2)
        )
        ratios.append(one.seconds / two.seconds)
    click.echo(
        f"two workers are {np.median(ratios):.2f} times as fast as one ({', '.join(f'{r:.2f}' for r in ratios)})"
    )
    make_day(Dataset.open(folder / "dataset"), folder / "raw" / "shown", work / "day", given.seed)
    timed("append", "data", "append", folder / "dataset", "--events", work / "day", "--out", work / "tomorrow")
    whole = serve("whole", work / "tomorrow", "--out", work / "whole")
    some = serve("since", work / "tomorrow", "--since", work / "before", "--out", work / "since")
    click.echo(f"since: {some.seconds / whole.seconds:.1%} of the clock, {some.cpu / whole.cpu:.1%} of the CPU time")
    rows, worst, equal = largest(Output.open(work / "since"), Output.open(work / "whole"))
    click.echo(f"{rows:,} rows, largest difference {worst:.1e}, lists equal {equal:,}")
    return 0 if worst <= 1e-5 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
