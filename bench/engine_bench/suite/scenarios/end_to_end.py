"""`end_to_end`: from files to files, `engine serve-batch` as its user calls it, in a process of its own."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import msgspec

from engine_bench.scale.watched import Watched, run_watched
from engine_bench.suite.histogram import Interval
from engine_bench.suite.medians import median
from engine_bench.suite.plan import Plan
from engine_bench.suite.record import Row, StageTime
from engine_bench.suite.subject import Subject
from engine_runtime.serve.summary import RunSummary

NAME = "end_to_end"


def run(subject: Subject, plan: Plan) -> Row:
    """Serve the data set until the time is up, at least once and at most as often as the plan has rounds."""
    runs: list[Watched] = []
    with tempfile.TemporaryDirectory(prefix="engine-bench-") as folder:
        root = Path(folder)
        while not runs or (len(runs) < plan.rounds and sum(each.seconds for each in runs) < plan.seconds):
            runs.append(run_watched(_command(subject, root / "output"), root / "answer.json", root / "log"))
        answer = msgspec.json.decode((root / "answer.json").read_bytes(), type=RunSummary)
    users = subject.dataset.info.n_users
    rates = tuple(users / each.seconds for each in runs)
    work = tuple(1000 * each.cpu / users for each in runs)
    return Row(
        scenario=NAME,
        quality=subject.quality,
        figures={
            "users_per_second": median(rates),
            "cpu_seconds_per_1000_users": median(work),
            "peak_bytes": Interval(float(max(each.peak for each in runs))),
        },
        rounds={"users_per_second": rates, "cpu_seconds_per_1000_users": work},
        stages={name: StageTime(each.wall_seconds, each.cpu_seconds) for name, each in answer.stages.items()},
        tokens=subject.tokens(subject.histories),
        notes=("stages and events are those of the last run; stages add up over its processes",),
    )


def _command(subject: Subject, out: Path) -> list[str]:
    engine = subject.engine
    return [
        *(sys.executable, "-m", "engine_runtime.cli", "serve-batch", f"--bundle={engine.bundle.root}"),
        *(f"--index={subject.index}", f"--events={subject.dataset.root}", f"--out={out}", "--force", "--json"),
        *(f"--workers={subject.threads}", f"--precision={engine.precision}", f"--provider={engine.provider}"),
    ]
