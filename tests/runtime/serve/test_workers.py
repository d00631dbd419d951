"""Buckets served side by side in forked processes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest

from engine_runtime.errors import ArtefactError, MachineError
from engine_runtime.serve.stages import Stages
from engine_runtime.serve.workers import Advance, Serve, Served, serve_each

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")


def unseen(users: int) -> None:
    """Watch nothing."""


def counting(bucket: int, advance: Advance) -> Served:
    """Serve a bucket of as many users as its number says."""
    advance(bucket)
    return Served(bucket, {"users": bucket, "process": os.getpid()}, Stages({"rank": 1.0}, {"rank": 0.5}, bucket))


def failing(error: BaseException) -> Serve:
    """Serve bucket 0, and fail at all others."""

    def serve(bucket: int, advance: Advance) -> Served:
        if bucket:
            raise error
        return counting(bucket, advance)

    return serve


def served(serve: Serve, processes: int = 2, advance: Advance = unseen) -> Generator[Served]:
    """Five buckets, served."""
    return serve_each(serve, range(5), processes, advance)


@pytest.mark.parametrize("processes", [1, 2, 9])
def test_each_bucket_is_served_once(processes: int) -> None:
    """Counts and stages of each come back from however many processes, and users are counted as they are done."""
    done: list[int] = []
    found = sorted(served(counting, processes, done.append), key=lambda part: part.bucket)
    assert [part.bucket for part in found] == [0, 1, 2, 3, 4]
    assert [part.counts["users"] for part in found] == [0, 1, 2, 3, 4]
    assert found[3].stages == Stages({"rank": 1.0}, {"rank": 0.5}, 3)
    assert sum(done) == 10
    assert (os.getpid() in {part.counts["process"] for part in found}) == (processes == 1)


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (ArtefactError("bucket-0001.parquet cannot be read"), ArtefactError, "^bucket-0001.parquet cannot be read$"),
        (OSError(errno.ENOSPC, "No space left on device", "part"), OSError, "No space left on device: 'part'"),
        (MemoryError(), MachineError, "no memory left"),
        (ZeroDivisionError("by nought"), RuntimeError, "ZeroDivisionError: by nought"),
        (KeyboardInterrupt(), KeyboardInterrupt, "^$"),
    ],
)
def test_what_a_worker_raises_is_raised_here(raised: BaseException, kind: type[BaseException], said: str) -> None:
    """Errors keep class and message; what no one foresaw brings its traceback along; no process is left."""
    before = children()
    with pytest.raises(kind, match=said):
        list(served(failing(raised)))
    assert children() == before


def test_a_worker_that_is_killed_ends_the_run() -> None:
    """It is said which bucket it served, and what may have been the reason."""

    def dying(bucket: int, advance: Advance) -> Served:
        if bucket == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return counting(bucket, advance)

    before = children()
    with pytest.raises(MachineError, match=r"served bucket 3 was ended from outside \(exit code -9\)"):
        list(served(dying))
    assert children() == before


def test_workers_end_when_no_one_wants_more() -> None:
    """A run that fails while it commits leaves no process behind."""
    before = children()
    with closing(served(counting)) as parts:
        next(parts)
        assert len(children() - before) == 2
    assert children() == before


RUN = """
import os, signal, time
from engine_runtime.serve.workers import serve_each
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started this with Ctrl-C ignored
def serve(bucket, advance):
    os.write(1, b"%d\\n" % os.getpid())  # in one piece: print writes a line's end by itself
    time.sleep(600)
list(serve_each(serve, range(2), 2, print))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_the_process_that_forked_them(number: signal.Signals) -> None:
    """Ctrl-C, a polite end and a kill leave no process behind, whatever the workers are doing."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        workers = [int(run.stdout.readline()) for _ in range(2)]
        run.send_signal(number)
        assert run.wait() in {-number, 1}
    wait_until(lambda: not any(map(runs, workers)))


def runs(process: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children() -> set[int]:
    """Processes that this one has made and not yet seen end; other tests may have made some, too."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == os.getpid():
            found.add(int(stat.parent.name))
    return found


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for something that comes soon; what never comes ends the test's own patience."""
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it did not come")
