"""What is known of a run of `serve-batch` while it goes on: whence it comes, how far it is, where its time went.

One thread writes here and others read: each field is replaced whole, so a reader sees a number before or after, never
between. Holds counts and digests alone, no identifier of a user or an item. Knows nothing of who reads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.output import USERS_FOLDER
from engine_runtime.artefacts.unfinished import Unfinished
from engine_runtime.data.rejects import count_reasons, without_quotes
from engine_runtime.serve.stages import Stages


@dataclass
class Watch:
    """State of a run.

    Attributes
    ----------
    began
        When the run began, seconds since 1970.
    creator
        Name and version of the program; empty until the artefacts are read, as is all below.
    parents
        Digests of the bundle, the index and the data set, by kind.
    settings
        Settings that the output depends on.
    earlier_users, earlier_parts
        Finished by an earlier run and kept.
    users_left, parts_left
        To be served by this run.
    users, events, parts
        Served by this run so far. A part's events count when the part is whole, a block's users when they are written.
    rejects
        Rows of the data set's files that were refused, by reason.
    stages
        Where the time goes, of all workers together; a part's time is added when it is whole.
    seconds
        Serving took so long; while it goes on, see `elapsed`.
    """

    began: float = field(default_factory=time.time)
    creator: str = ""
    parents: dict[str, str] = field(default_factory=dict)
    settings: dict[str, int | str] = field(default_factory=dict)
    earlier_users: int = 0
    earlier_parts: int = 0
    users_left: int = 0
    parts_left: int = 0
    users: int = 0
    events: int = 0
    parts: int = 0
    rejects: dict[str, int] = field(default_factory=dict)
    stages: Stages = field(default_factory=Stages)
    seconds: float = 0.0
    _start: float = field(default_factory=time.perf_counter)

    def begin(self, work: Unfinished, dataset: Dataset, users_left: int) -> None:
        """Note what is served and what an earlier run has done of it; `work` has begun."""
        if work.task is None:
            raise RuntimeError(f"the {work.kind} at {work.out} was not begun")
        info = dataset.info
        self.rejects = without_quotes(count_reasons(dataset))
        parts = sum(name.startswith(f"{USERS_FOLDER}/") for name in work.done)
        self.earlier_parts = parts if work.manifest is None else info.n_buckets
        self.parts_left = info.n_buckets - self.earlier_parts
        self.earlier_users = work.counted("users") if work.manifest is None else int(work.manifest.info["n_users"])
        self.users_left = users_left
        self.settings, self.parents, self.creator = work.task.settings, work.task.parents, work.task.creator
        self._start = time.perf_counter()

    def counting(self, advance: Callable[[int], None]) -> Callable[[int], None]:
        """`advance`, and the users that it is told of are counted here."""

        def counted(users: int) -> None:
            self.users += users
            self.users_left -= users
            advance(users)

        return counted

    def done(self, bucket: int, counts: Mapping[str, int]) -> None:
        """Count a part that is whole."""
        self.parts += 1
        self.parts_left -= 1
        self.events += counts["events"]

    def elapsed(self) -> float:
        """Seconds of serving up to now."""
        return time.perf_counter() - self._start

    def end(self) -> None:
        """Note that all is served."""
        self.seconds = self.elapsed()
