"""A command run to its end as a child process, its time and memory watched from outside.

Knows processes; knows nothing of what they do. Memory is that of the child and all its descendants together, so that
work cannot hide in worker processes. Pages that several of them share are counted once (Linux's proportional set size).
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine_bench.load import LoadWatch
from engine_runtime.errors import MachineError

PROC = Path("/proc")
SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Watched:
    """What one run of a command took.

    Attributes
    ----------
    seconds
        Of the clock, from its start to its end.
    cpu
        Seconds of all CPUs together, descendants included.
    peak
        Most resident memory at a time, descendants included, in bytes.
    foreign
        CPUs that other processes kept busy meanwhile; None where the system does not tell.
    """

    seconds: float
    cpu: float
    peak: int
    foreign: float | None


def run_watched(command: Sequence[str], answer: Path, log: Path) -> Watched:
    """Run a command to its end.

    Parameters
    ----------
    command
        The program and its arguments.
    answer, log
        Files for its stdout and stderr.

    Raises
    ------
    MachineError
        It cannot be started, or failed; the last line of its log is said.
    """
    load, started = LoadWatch.start(), time.perf_counter()
    try:
        with answer.open("wb") as out, log.open("wb") as errors:
            child = subprocess.Popen(list(command), stdin=subprocess.DEVNULL, stdout=out, stderr=errors)
    except OSError as error:
        raise MachineError(f"{command[0]} cannot be started: {error.strerror}") from error
    with _Memory(child.pid) as memory:
        cpu, code, most = _ended(child)
    seconds = time.perf_counter() - started
    if code:
        said = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        raise MachineError(f"`{' '.join(command)}` ended with code {code}: {said[-1].strip()} All it said is in {log}.")
    return Watched(seconds, cpu, max(memory.peak, most), load.foreign(cpu))


def _ended(child: subprocess.Popen[bytes]) -> tuple[float, int, int]:
    """Wait for a child; its CPU seconds, exit code and, where memory is not sampled, the most that one process had."""
    try:
        _, status, used = os.wait4(child.pid, 0)
    except BaseException:  # Ctrl-C ends the child, too
        child.terminate()
        child.wait()
        raise
    child.returncode = os.waitstatus_to_exitcode(status)
    # Linux gives a child its parent's figure to begin with, so it is of use only where there is no /proc
    return used.ru_utime + used.ru_stime, child.returncode, 0 if PROC.exists() else used.ru_maxrss


class _Memory:
    """Samples the memory of a process and its descendants until it is left."""

    def __init__(self, root: int) -> None:
        self.peak = 0
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while PROC.exists() and not self._over.wait(SAMPLE_SECONDS):
            members = family(self._root)
            if len(members) == 1:  # the kernel's own mark misses nothing between two samples
                together = memory_of(members[0], "status", "VmHWM:")
            else:
                together = sum(memory_of(member, "smaps_rollup", "Pss:") for member in members)
            self.peak = max(self.peak, together)


def family(root: int) -> list[int]:
    """A process and its descendants that are there now."""
    parents = {}
    for entry in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
    found = [root]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def memory_of(process: int, file: str, mark: str) -> int:
    """Bytes that a file of /proc/PROCESS gives in the line that begins with `mark`; 0 where the process is over."""
    try:
        lines = (PROC / str(process) / file).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(mark)), 0)
