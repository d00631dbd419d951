"""The engine as a target runs it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine_bench.suite.loading import load_on
from engine_bench.suite.targets import find_target
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.encoder import BUDGETS
from tiny import World


def test_threads_and_budget_of_the_target_are_those_that_run(world: World) -> None:
    """What a target sets is set in the engine and its encoder, and its vectors are the same."""
    target = find_target("cpu-any")
    runs = msgspec.structs.replace(target.runs, threads=3, token_budget=40)
    engine = load_on(msgspec.structs.replace(target, runs=runs), world.bundle.root, world.index.root)
    assert (engine.threads, engine.precision, engine.encoder.budget) == (3, "fp32", 40)
    texts = ["red tea", "small large lamp", ""]
    assert engine.encode(texts).tolist() == world.engine().encode(texts).tolist()


def test_what_a_target_leaves_open_is_the_engines_own(world: World) -> None:
    """Threads of the call go before the target's; a budget that is not set is the engine's."""
    target = find_target("cpu-any")
    runs = msgspec.structs.replace(target.runs, token_budget=None, threads=3)
    engine = load_on(msgspec.structs.replace(target, runs=runs), world.bundle.root, world.index.root, threads=1)
    assert (engine.threads, engine.encoder.budget) == (1, BUDGETS["cpu"])


def test_a_bundle_whose_report_was_removed_is_not_loaded(world: World, tmp_path: Path) -> None:
    """A changed folder is refused by its manifest before anything is measured."""
    changed = tmp_path / "bundle"
    changed.mkdir()
    for path in world.bundle.root.iterdir():
        (changed / path.name).write_bytes(path.read_bytes())
    (changed / "parity.json").unlink()
    with pytest.raises(ArtefactError, match=r"parity\.json is missing from the bundle"):
        load_on(find_target("cpu-any"), changed, world.index.root)
