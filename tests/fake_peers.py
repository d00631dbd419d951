"""Peers without a model, for tests of what runs them: each lives in a child process by its name here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

import numpy as np

from engine_bench.peers.contract import Floats, Task

MakeTask = Callable[[str], Task]
"""What the fixture `make_task` is: a task for a peer of some name."""


class Counting:
    """Gives each text a vector of its length and its call's size, and says so on stdout, as libraries do."""

    def __init__(self, task: Task) -> None:
        print("loading")  # noqa: T201, a library that prints
        self.settings = f"{task.threads} threads, prepared: {task.made('prepared').exists()}"

    @classmethod
    def prepare(cls, task: Task) -> None:
        """Leave a file."""
        task.made("prepared").touch()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Two numbers a text."""
        print("encoding")  # noqa: T201, as above
        return np.array([[len(text), len(texts)] for text in texts], np.float32)


class Unloadable(Counting):
    """Cannot be loaded."""

    def __init__(self, task: Task) -> None:
        raise ValueError("two\nlines")


class Failing(Counting):
    """Cannot encode."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Fail."""
        raise RuntimeError("no kernel")


class Dying(Counting):
    """Takes its process with it."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """End the process as a crash in native code would."""
        os._exit(7)


class Sleeping(Counting):
    """Does not answer."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Wait for longer than anyone would."""
        time.sleep(3600)
        return super().encode(texts)
