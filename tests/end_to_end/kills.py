"""Kill `engine serve-batch` at random moments, resume it, and compare with an undisturbed run: ``make kills``.

Each run is a process forked from this one, which has imported all and done nothing: so kills fall into the work, and
two hundred of them take minutes.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

import tiny
from engine_runtime import cli
from engine_runtime.artefacts.manifest import FileRecord, file_record
from engine_runtime.artefacts.unfinished import LOG, TASK, unfinished_folder
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.indexing import make_index
from shops import Shop

BUCKETS = 12
USERS = 1200
POLL_SECONDS = 0.001


@dataclass(frozen=True)
class Trial:
    """A run to kill: its command, the digests of an undisturbed one, and how long that took for a bucket."""

    command: list[str]
    expected: dict[str, FileRecord]
    bucket_seconds: float


@dataclass
class Run:
    """A process at work, where it writes what it has to say, and how it ended."""

    pid: int
    said: Path
    code: int | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is None

    def wait(self) -> None:
        """Wait for its end."""
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def prepare(root: Path, workers: int) -> Trial:
    """Make a shop with several buckets, and serve it once undisturbed, by one worker; `workers` are to be killed."""
    _end(_start(lambda: _make_shop(root), root / "said"))
    parts = {"bundle": root / "bundle", "index": root / "index", "events": root / "shop" / "dataset"}
    command = ["serve-batch", *(f"--{name}={path}" for name, path in parts.items()), "--resume"]
    out = root / "undisturbed" / "output"
    run = _serve([*command, "--workers=1"], out)
    _wait(run, out, 0)
    began = time.monotonic()
    _end(run)
    return Trial([*command, f"--workers={workers}"], digests(out), (time.monotonic() - began) / BUCKETS)


def _make_shop(root: Path) -> int:
    bundle = tiny.write_bundle(root / "bundle", tiny.TRAINED)
    config = tiny.CONFIG.replace("buckets = 3", f"buckets = {BUCKETS}")
    items = tiny.shop_items()
    catalogue = "id,title,brand,price\n" + "".join(item.row for item in items)
    (root / "shop").mkdir()
    dataset = Shop(root / "shop").ingest(tiny.shop_events(items, USERS), catalogue, "user,sex,age\nidle,,17\n", config)
    make_index(Engine.load(bundle.root, threads=1), dataset, root / "index", IndexSettings())
    return 0


def digests(folder: Path) -> dict[str, FileRecord]:
    """Digest and size of every file under a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_record(path) for path in paths}


def attack(trial: Trial, folder: Path, count: int, seed: int) -> Counter[str]:
    """Kill `count` runs, and say how often where.

    A run is killed once or several times in a row; then it comes to its end, and must be what an undisturbed one is.

    Raises
    ------
    AssertionError
        A run that was killed and resumed has other bytes, or something is left beside its output.
    """
    draw = random.Random(seed)
    where: Counter[str] = Counter()
    out = folder / "output"
    while where.total() < count:
        while True:
            where[_kill(trial, out, draw.uniform(-0.5, BUCKETS + 1))] += 1
            if where.total() == count or draw.random() < 0.5:
                break
        _end(_serve(trial.command, out))
        assert digests(out) == trial.expected, f"other bytes after the kills so far: {dict(where)}, seed {seed}"
        assert [path.name for path in folder.iterdir()] == ["output"], f"left: {list(folder.iterdir())}, seed {seed}"
        for path in sorted(out.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        out.rmdir()
    return where


def _kill(trial: Trial, out: Path, moment: float) -> str:
    """Kill a run when so many buckets are done, and say where it was; below 0, before it has begun."""
    run = _serve(trial.command, out)
    if moment < 0:
        time.sleep(-moment)
    else:
        _wait(run, out, int(moment))
        time.sleep(moment % 1 * trial.bucket_seconds)
    if run.running:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    if out.exists():
        return "in its place already"
    if not (unfinished_folder(out) / TASK).exists():
        return "before the work"
    return f"{_committed(out):2} of {BUCKETS} parts"


def _wait(run: Run, out: Path, parts: int) -> None:
    """Wait until the work has begun and so many parts are finished, or the process has ended."""
    task = unfinished_folder(out) / TASK
    while run.running and not (task.exists() and _committed(out) >= parts):
        time.sleep(POLL_SECONDS)


def _committed(out: Path) -> int:
    try:
        return (unfinished_folder(out) / LOG).read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def _serve(command: list[str], out: Path) -> Run:
    return _start(lambda: cli.run([*command, f"--out={out}"]), out.parent.with_name("said"))


def _start(work: Callable[[], int], said: Path) -> Run:
    pid = os.fork()
    if pid:
        return Run(pid, said)
    code = 1
    try:
        stream = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(stream, 1)
        os.dup2(stream, 2)
        code = work()
    finally:
        os._exit(code)


def _end(run: Run) -> None:
    run.wait()
    assert run.code == 0, run.said.read_text()


def main() -> None:
    """Attack as often as asked, and print where the kills fell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        trial = prepare(Path(root), asked.workers)
        (Path(root) / "killed").mkdir()
        where = attack(trial, Path(root) / "killed", asked.count, asked.seed)
    for place, times in sorted(where.items()):
        click.echo(f"{times:4} killed {place}")
    click.echo(f"{where.total()} kills, every resumed run with the bytes of an undisturbed one, nothing left beside it")


if __name__ == "__main__":
    main()
