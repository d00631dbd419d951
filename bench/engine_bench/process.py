"""A child process that answers a line with a line, and what is told of it where it does not.

Knows processes; knows nothing of what is asked or answered. The end of its requests ends it, so that it does not
outlive who started it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Timer

from engine_runtime.errors import MachineError

GRACE_SECONDS = 10.0


class Process:
    """A child that reads requests on stdin and answers on stdout.

    Parameters
    ----------
    command
        The program and its arguments.
    threads
        Threads that it may keep busy.
    log
        File that its stderr is added to; the last line tells why it ended.
    path
        PYTHONPATH that it runs with; that of this process if None.

    Raises
    ------
    MachineError
        It cannot be started.
    """

    def __init__(self, command: Sequence[str], threads: int, log: Path, path: str | None = None) -> None:
        self._log = log
        present = dict(os.environ) if path is None else os.environ | {"PYTHONPATH": path}
        try:
            with log.open("ab") as errors:
                self._child = subprocess.Popen(
                    list(command),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=environment(present, threads),
                )
        except OSError as error:
            raise MachineError(f"{command[0]} cannot be started: {error.strerror}") from error

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._child.returncode

    def ask(self, request: bytes, most_seconds: float) -> bytes:
        """Its next line, after `request` was sent, if it is not empty.

        Raises
        ------
        MachineError
            It ended, or did not answer within `most_seconds` and was ended.
        """
        if self._child.stdin is None or self._child.stdout is None:
            raise MachineError("the process has no pipes.")
        limit = Timer(most_seconds, self._child.kill)
        limit.start()
        try:
            self._child.stdin.write(request)
            self._child.stdin.flush()
            received = self._child.stdout.readline()
        except BrokenPipeError:
            received = b""
        finally:
            limit.cancel()
        if not received:
            raise MachineError(f"the process ended with code {self._child.wait()}{self._last_words()}")
        return received

    def close(self) -> None:
        """End it: by ending its requests first, by force if it does not listen."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # what it did not read is written at the close
                    pipe.close()
        try:
            self._child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _last_words(self) -> str:
        said = self._log.read_text(errors="replace").strip().splitlines()
        return f": {said[-1].strip()}" if said else ""


def environment(present: Mapping[str, str], threads: int) -> dict[str, str]:
    """A child's environment: its threads, no network, no usage data sent."""
    count = str(threads)
    return dict(present) | {
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "RAYON_NUM_THREADS": count,
        "TOKENIZERS_PARALLELISM": "true" if threads > 1 else "false",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NNCF_CI": "1",  # its name for: send no usage data
    }
