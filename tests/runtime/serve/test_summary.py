"""The summary of a run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from engine_runtime.artefacts import writing
from engine_runtime.artefacts.output import KIND, Output
from engine_runtime.artefacts.unfinished import unfinished
from engine_runtime.errors import UsageError
from engine_runtime.serve.batch import begin, serve_rest
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.summary import RunSummary, check_place, summarise, write_summary
from engine_runtime.serve.watch import Watch
from tiny import World


@pytest.fixture(scope="module")
def summary(world: World, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> RunSummary:
    return serve(world, engine, tmp_path_factory.mktemp("summary") / "output")


def serve(world: World, engine: Engine, out: Path) -> RunSummary:
    """Serve the small shop and sum up."""
    watch = Watch()
    with unfinished(out, KIND, resume=True) as work:
        watch.begin(work, world.dataset, begin(work, engine, world.dataset, 5))
        output, _ = serve_rest(
            work, engine, world.dataset, 5, watch.counting(lambda users: None), watch.done, watch.stages
        )
        watch.end()
    return summarise(watch, output, {"top_k": 5})


def test_a_run_summed_up(world: World, summary: RunSummary) -> None:
    """Lineage, counts, rejects, seconds of stages, memory and machine are there, and the times are in order."""
    output, info = Output.open(Path(summary.output)), world.dataset.info
    assert (summary.digest, summary.parents, summary.info) == (
        output.manifest.digest,
        output.manifest.parents,
        output.info,
    )
    assert (summary.served_users, summary.served_events, summary.served_parts) == (
        info.n_users,
        info.n_events,
        info.n_buckets,
    )
    assert (summary.resumed, summary.earlier_users, summary.options) == (False, 0, {"top_k": 5})
    assert sum(summary.rejects.values()) == info.n_rejects
    assert {"prepare", "read", "rank", "write"} <= summary.stages.keys()
    assert summary.users_per_second == pytest.approx(info.n_users / summary.seconds)
    assert summary.peak_memory_bytes is not None
    assert {"python", "numpy", "pyarrow"} <= summary.machine.versions.keys()
    assert summary.machine.cpus >= 1
    started, ended = map(datetime.fromisoformat, (summary.started, summary.ended))
    assert started <= ended


def test_a_finished_run_asked_again(world: World, engine: Engine, tmp_path: Path) -> None:
    """It has served nothing, so it has no rate, and the digest is the same: no clock is in the output."""
    first, again = (serve(world, engine, tmp_path / "output") for _ in range(2))
    assert (again.digest, again.resumed, again.served_users) == (first.digest, True, 0)
    assert (again.users_per_second, again.stages) == (None, {})
    assert again.earlier_users == world.dataset.info.n_users


def test_what_is_written_is_read_back(summary: RunSummary, tmp_path: Path) -> None:
    """The file is the document, replaces an older one, and no other file is left."""
    path = tmp_path / "summary.json"
    path.write_text("old")
    write_summary(path, summary)
    assert msgspec.json.decode(path.read_bytes(), type=RunSummary) == summary
    assert list(tmp_path.iterdir()) == [path]


def test_writing_that_fails_leaves_the_old_one(
    summary: RunSummary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk while the new one is written does not harm the old one."""

    def full(path: Path) -> None:
        raise OSError("No space left on device")

    path = tmp_path / "summary.json"
    path.write_text("old")
    monkeypatch.setattr(writing, "flush", full)
    with pytest.raises(OSError, match="No space"):
        write_summary(path, summary)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_places_that_are_refused(tmp_path: Path) -> None:
    """A folder that is not there, a folder itself, and the output are no places for a summary."""
    out = tmp_path / "output"
    check_place(tmp_path / "summary.json", out)
    for place, said in [
        (tmp_path / "absent" / "x.json", "no folder"),
        (tmp_path, "is a folder"),
        (out, "inside the output"),
    ]:
        with pytest.raises(UsageError, match=said):
            check_place(place, out)
    out.mkdir()
    with pytest.raises(UsageError, match="inside the output"):
        check_place(out / "x.json", out)
