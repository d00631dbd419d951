"""Forget users of real data and prove it: ``make forgetting``.

Raw files are ingested with and without a hundred users. Those are forgotten from the first data set, which then has to
be the second one, byte for byte. With a bundle and an index an output is served before, loses them too, and is compared
with what was served before and with an output of the second data set. At last every file is searched for their ids and
vectors.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.output import Output
from engine_runtime.artefacts.receipt import Receipt
from engine_runtime.data.config import DatasetConfig
from engine_runtime.data.config_file import load_config
from engine_runtime.data.ingest import ingest
from engine_runtime.data.survey import Request
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.erasure import erase
from engine_runtime.serve.sought import Places, find

EVENTS, ITEMS, USERS = "events.tsv.gz", "items.jsonl.gz", "users.tsv.gz"


def main() -> None:
    """Forget, compare, print; fail where the data set or a row of another user differs, or anything is left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(_run(Path(folder), given))


def _run(root: Path, given: argparse.Namespace) -> int:
    """Return the number of differences and traces, at most 1."""
    config = load_config(given.config)
    dataset = _ingest(config, given.raw, root / "dataset")
    ids = pq.read_table(dataset.users)["user_id"].to_pylist()
    chosen = frozenset(np.random.default_rng(given.seed).choice(ids, given.users, replace=False).tolist())
    never = _ingest(config, _without(given.raw, config, chosen, root / "raw"), root / "never")
    engine = Engine.load(given.bundle, given.index) if given.bundle and given.index else None
    served = [] if engine is None else [serve_batch(engine, dataset, root / "output")[0]]
    before = [_rows(output) for output in served]
    outputs = tuple(output.root for output in served)
    scanned = tuple(path for path in (given.bundle, given.index) if path)
    alone = _copied(dataset.root, root / "alone")
    receipt, seconds = _forget(chosen, Places((dataset.root,), outputs, scanned=scanned))
    _, alone_seconds = _forget(frozenset(sorted(chosen)[:1]), Places((alone,)))
    same = _compare(dataset.root, never)
    rows = True
    if engine is not None:
        rest = before[0].filter(pc.invert(pc.is_in(before[0]["user_id"], pa.array(sorted(chosen)))))
        after = Output.open(outputs[0])
        rows = rest.equals(_rows(after))
        _compare_output(after, serve_batch(engine, never, root / "served")[0])
        click.echo(f"rows of the others are those that were served before, to the bit: {rows}")
    click.echo(
        f"{len(chosen)} of {len(ids):,} users, {len(outputs)} outputs: {1000 * receipt.seconds / len(chosen):.1f} ms a "
        f"user to write all anew; with looking up and scanning {1000 * seconds / len(chosen):.1f} ms of CPU time a "
        f"user, {alone_seconds:.2f} s for one user alone"
    )
    click.echo(
        f"{receipt.scan.files} files, {receipt.scan.bytes:,} bytes, {receipt.scan.vectors} vectors looked for: "
        f"traces {len(receipt.scan.traces)}"
    )
    return int(bool(receipt.scan.traces) or not same or not rows)


def _forget(users: frozenset[str], places: Places) -> tuple[Receipt, float]:
    """Forget users; return the receipt and the seconds of CPU time that it took."""
    started = time.process_time()
    return erase(find(Request(users), places)), time.process_time() - started


def _ingest(config: DatasetConfig, raw: Path, out: Path) -> Dataset:
    return ingest(config, [raw / EVENTS], [raw / ITEMS], [raw / USERS] if config.users else [], out)


def _without(raw: Path, config: DatasetConfig, users: frozenset[str], folder: Path) -> Path:
    """Write the raw files again, without the lines of some users."""
    folder.mkdir()
    shutil.copyfile(raw / ITEMS, folder / ITEMS)
    columns = {EVENTS: config.events.user if config.events else "", USERS: config.users.id if config.users else ""}
    for name, column in columns.items():
        if column:
            with gzip.open(raw / name, "rt") as lines, gzip.open(folder / name, "wt", 1) as rest:
                head = next(lines)
                rest.write(head)
                place = head.rstrip("\n").split("\t").index(column)
                rest.writelines(line for line in lines if line.rstrip("\n").split("\t")[place] not in users)
    return folder


def _copied(path: Path, target: Path) -> Path:
    shutil.copytree(path, target)
    return target


def _compare(found: Path, expected: Dataset) -> bool:
    """Whether a data set is another one, byte for byte."""
    other = [
        name for name in expected.manifest.files if (found / name).read_bytes() != (expected.root / name).read_bytes()
    ]
    digest = Dataset.open(found).manifest.digest
    click.echo(
        f"data set: {len(expected.manifest.files)} files, differing: {', '.join(other) or 'none'}; "
        f"digests {digest[:12]} and {expected.manifest.digest[:12]}"
    )
    return not other and digest == expected.manifest.digest


def _rows(output: Output) -> pa.Table:
    return pa.concat_tables(pq.read_table(output.part(number)) for number in range(output.info.n_parts))


def _compare_output(found: Output, expected: Output) -> None:
    """Print how far an output is from one that was served of users who are all there."""
    one, other = _rows(found), _rows(expected)
    same = [name for name in one.column_names if one[name].equals(other[name])]
    left, right = (
        table["query"].combine_chunks().flatten().to_numpy().reshape(len(table), -1) for table in (one, other)
    )
    far = np.abs(left - right).max(axis=1) if left.shape == right.shape else np.array([np.inf])
    click.echo(
        f"output: {len(one):,} rows; beside one that is served of the others alone {len(same)} of {one.num_columns} "
        f"columns are equal to the bit, {(far == 0).mean():.2%} of the queries too, {(far < 1e-4).mean():.2%} to 1e-4, "
        f"all to {far.max():.1e}; digests {found.manifest.digest[:12]} and {expected.manifest.digest[:12]}"
    )


if __name__ == "__main__":
    main()
