"""The comparison of encoders: who takes part, what each is asked, and what is made of the answers.

Knows the order of the steps; knows no peer's library, and nothing of how a result is shown. Every peer lives in a
process of its own, which is idle while it is not its turn.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine_bench.fingerprint import Fingerprint
from engine_bench.peers.contract import Floats, Task, write_calls
from engine_bench.peers.handle import Handle
from engine_bench.peers.registry import EXACT, LATENCY, OURS, PEERS, Known
from engine_bench.quality import batch_dependence, nearest, quality
from engine_bench.results import Comparison, Latency, Row
from engine_bench.rounds import Lap, Tell, encoding, run_rounds, vectors_of
from engine_bench.statistics import percentile, ratios, spread
from engine_bench.workload import Workload
from engine_export.parity import VectorParity
from engine_runtime.errors import EngineError

STUDENT = "student-int8"
LATENCY_ROUNDS = 10


@dataclass(frozen=True)
class Setting:
    """What is compared and how.

    Attributes
    ----------
    encoder
        Folder of the exported encoder.
    weights
        Model folder with the weights it was exported from.
    student
        Folder of a smaller exported encoder, measured against the same float32 vectors; none if None.
    threads
        Threads that each peer may keep busy.
    rounds
        How often each has its turn.
    latency_calls
        Calls with one text; none are made if 0.
    """

    encoder: Path
    weights: Path
    student: Path | None
    threads: int
    rounds: int
    latency_calls: int


def compare(
    peers: Mapping[str, Known], workload: Workload, setting: Setting, fingerprint: Fingerprint, tell: Tell
) -> Comparison:
    """Run the comparison.

    Parameters
    ----------
    peers
        Who is asked; ours must be among them.
    workload
        What they encode.
    setting
        How.
    fingerprint
        Of this machine and of the encoder.
    tell
        Told what happens, a line at a time.

    Raises
    ------
    EngineError
        Ours itself does not run.
    """
    with tempfile.TemporaryDirectory(prefix="engine-bench-") as scratch:
        bench = _Bench(Path(scratch), workload, setting, tell)
        rows, left_out = bench.throughput(peers)
        latency = bench.latency([row.name for row in rows])
    return Comparison(
        fingerprint=fingerprint,
        texts=len(workload.texts),
        tokens=workload.tokens,
        threads=setting.threads,
        rounds=setting.rounds,
        rows=tuple(rows),
        short_tokens=workload.short_tokens,
        latency=tuple(latency),
        left_out=left_out,
    )


class _Bench:
    """One run of the comparison, with its files in `folder`."""

    def __init__(self, folder: Path, workload: Workload, setting: Setting, tell: Tell) -> None:
        self._folder, self._workload, self._setting, self._tell = folder, workload, setting, tell
        self._prepared = set[Path]()
        self._mixed = workload.mixed()
        self._texts = self._write("texts", [list(workload.texts)])
        self._calibration = self._write("calibration", [list(workload.calibration)])
        self._lone_calls = self._write("lone", [[text] for text in workload.lone])
        self._mixed_calls = self._write("mixed", self._mixed)

    def throughput(self, peers: Mapping[str, Known]) -> tuple[list[Row], dict[str, str]]:
        """The rows of those that ran, and why the others did not."""
        left_out = {name: why for name, known in peers.items() if (why := known.absent)}
        members = {name: known for name, known in peers.items() if name not in left_out}
        if self._setting.student is not None:
            members[STUDENT] = PEERS[OURS]
        expected = self._expected()
        nearest_expected = nearest(expected)
        with self._loaded(members) as handles:
            dependence = {handle.name: self._batch_dependence(handle) for handle in handles}
            laps = run_rounds(encoding(handles, self._texts), self._setting.rounds, self._tell)
        rows = []
        ran = [handle for handle in handles if handle.failed is None]
        if OURS not in (handle.name for handle in ran):
            raise EngineError(f"{OURS} did not run: {handles[0].failed}. Check the encoder with `engine inspect`.")
        for handle in ran:
            found = np.load(vectors_of(handle), allow_pickle=False)
            measured = quality(expected, nearest_expected, found, dependence[handle.name])
            rows.append(self._row(handle, laps[handle.name], laps[OURS], measured))
        failed = {handle.name: handle.failed for handle in handles if handle.failed is not None}
        return rows, left_out | failed

    def latency(self, names: list[str]) -> list[Latency]:
        """One text at a time, for those of `names` that have a form for it, in turn."""
        if not self._setting.latency_calls:
            return []
        share = -(-self._setting.latency_calls // LATENCY_ROUNDS)
        calls = self._write("short", [[self._workload.short]] * share)
        with self._loaded({name: LATENCY[name] for name in LATENCY if name in names}) as handles:
            laps = run_rounds(encoding(handles, calls), LATENCY_ROUNDS, lambda message: None)
        medians = {name: [percentile(lap.wall, 50) for lap in found] for name, found in laps.items()}
        results = []
        for handle in (handle for handle in handles if handle.failed is None):
            seconds = tuple(lap.wall for lap in laps[handle.name])
            everything = [second for lap in seconds for second in lap]
            p50, p99 = percentile(everything, 50), percentile(everything, 99)
            ours = ratios(medians[handle.name], medians[OURS])
            results.append(Latency(handle.name, handle.settings, p50, p99, ours, seconds))
            self._tell(f"latency: {handle.name}, {p50 * 1000:.2f} ms")
        return results

    @contextmanager
    def _loaded(self, members: Mapping[str, Known]) -> Iterator[list[Handle]]:
        """Handles of peers that are loaded and warm; each folder is prepared once."""
        with ExitStack() as stack:
            handles = [stack.enter_context(self._handle(name, known)) for name, known in members.items()]
            for handle in handles:
                if handle.folder not in self._prepared:
                    self._tell(f"preparing {handle.name}")
                    handle.prepare()
                    self._prepared.add(handle.folder)
                handle.load()
                handle.encode(self._calibration)
            yield handles

    def _handle(self, name: str, known: Known) -> Handle:
        setting = self._setting
        encoder = setting.student if name == STUDENT else setting.encoder
        task = Task(
            folder=str(self._folder / (known.shares or name)),
            encoder=str(encoder),
            weights=str(setting.weights),
            calibration=self._calibration,
            threads=setting.threads,
        )
        return Handle(name, known.target, task)

    def _expected(self) -> Floats:
        """The yardstick: vectors of the float32 graph."""
        self._tell("encoding in float32, for the yardstick")
        with self._handle("yardstick", PEERS[EXACT]) as handle:
            handle.load()
            handle.encode(self._texts, vectors_of(handle))
            if handle.failed is not None:
                raise EngineError(f"the float32 encoder did not run: {handle.failed}.")
            vectors: Floats = np.load(vectors_of(handle), allow_pickle=False)
        return vectors

    def _batch_dependence(self, handle: Handle) -> float:
        alone, mixed = handle.folder / "alone.npy", handle.folder / "mixed.npy"
        handle.encode(self._lone_calls, alone)
        if handle.encode(self._mixed_calls, mixed) is None:
            return float("nan")
        return batch_dependence(np.load(alone), np.load(mixed), [len(texts) for texts in self._mixed])

    def _row(self, handle: Handle, laps: list[Lap], ours: list[Lap], measured: VectorParity) -> Row:
        seconds = [lap.seconds for lap in laps]
        return Row(
            name=handle.name,
            settings=handle.settings,
            laps=tuple(laps),
            tokens=spread([self._workload.tokens / second for second in seconds]),
            texts=len(self._workload.texts) / spread(seconds).median,
            ours=ratios(seconds, [lap.seconds for lap in ours]),
            cpu=spread([lap.cpu for lap in laps]).median,
            peak=handle.peak,
            quality=measured,
        )

    def _write(self, name: str, calls: list[list[str]]) -> str:
        return write_calls(self._folder / f"{name}.json", calls)
