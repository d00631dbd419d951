"""A question to a fresh process of Python: one document in, one out.

Knows processes; knows nothing of what is asked. A figure such as memory or loading time is a process's own, so each is
measured in one that has done nothing else. The module asked ends with ``answer(Question, work)`` under its main guard.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from engine_bench.process import environment
from engine_runtime.errors import EngineError

Q = TypeVar("Q")
A = TypeVar("A")


def ask(module: str, question: Any, kind: type[A], threads: int) -> tuple[A, float]:
    """Ask `module` in a fresh process.

    Parameters
    ----------
    module
        By its full name.
    question
        What its `answer` expects.
    kind
        What it answers with.
    threads
        That libraries in it may use.

    Returns
    -------
    answer
    float
        When the process was started, by the clock of `time.monotonic`, which all processes of a machine share.

    Raises
    ------
    EngineError
        It ended without an answer.
    """
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=msgspec.json.encode(question),
        capture_output=True,
        check=False,
        env=environment(os.environ, threads),
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise EngineError(f"{module} ended with code {done.returncode}: {said[-1].strip()}")
    return msgspec.json.decode(done.stdout, type=kind), started


def answer(kind: type[Q], work: Callable[[Q], Any]) -> None:
    """In the fresh process: read a question, do the work, write what it returns; what is printed goes to stderr."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        out.write(msgspec.json.encode(work(msgspec.json.decode(sys.stdin.buffer.read(), type=kind))))
