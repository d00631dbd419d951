"""What is known of a run while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from engine_runtime.artefacts.output import KIND
from engine_runtime.artefacts.unfinished import unfinished
from engine_runtime.serve.batch import begin, serve_rest
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.watch import Watch
from tiny import World


def serve(world: World, engine: Engine, out: Path, parts: int | None = None) -> Watch:
    """Serve to the end, or until so many parts are finished, as a run that may be resumed."""
    watch = Watch()

    def done(bucket: int, counts: Mapping[str, int]) -> None:
        watch.done(bucket, counts)
        if watch.parts == parts:
            raise KeyboardInterrupt

    with unfinished(out, KIND, resume=True) as work:
        watch.begin(work, world.dataset, begin(work, engine, world.dataset, 5))
        serve_rest(work, engine, world.dataset, 5, watch.counting(lambda users: None), done, watch.stages)
        watch.end()
    return watch


def test_a_whole_run_is_counted(world: World, engine: Engine, tmp_path: Path) -> None:
    """At the end all users, events and parts are served and none is left; digests and settings are known."""
    watch = serve(world, engine, tmp_path / "output")
    info = world.dataset.info
    assert (watch.users, watch.events, watch.parts) == (info.n_users, info.n_events, info.n_buckets)
    assert (watch.users_left, watch.parts_left, watch.earlier_users, watch.earlier_parts) == (0, 0, 0, 0)
    assert watch.parents == {
        "bundle": world.bundle.manifest.digest,
        "index": world.index.manifest.digest,
        "dataset": world.dataset.manifest.digest,
    }
    assert watch.settings["top_k"] == 5
    assert watch.creator.startswith("profile-engine")
    assert set(watch.stages.seconds) == set(watch.stages.cpu_seconds)
    assert 0 < watch.seconds <= watch.elapsed()


def test_parts_of_an_earlier_run_are_told_apart(world: World, engine: Engine, tmp_path: Path) -> None:
    """What a stopped run has finished is kept and not counted as served; a finished output leaves nothing to do."""
    info, out = world.dataset.info, tmp_path / "output"
    with pytest.raises(KeyboardInterrupt):
        serve(world, engine, out, parts=2)
    watch = serve(world, engine, out)
    kept = info.bucket_users[2]
    assert (watch.earlier_parts, watch.earlier_users) == (2, kept)
    assert (watch.parts, watch.users) == (info.n_buckets - 2, info.n_users - kept)
    again = serve(world, engine, out)
    assert (again.earlier_parts, again.earlier_users) == (info.n_buckets, info.n_users)
    assert (again.users, again.parts, again.users_left, again.parts_left) == (0, 0, 0, 0)


def test_work_has_to_begin_first(world: World, tmp_path: Path) -> None:
    """A run that has not said what it makes cannot be watched: our own mistake."""
    with unfinished(tmp_path / "output", KIND) as work, pytest.raises(RuntimeError, match="not begun"):
        Watch().begin(work, world.dataset, 3)
