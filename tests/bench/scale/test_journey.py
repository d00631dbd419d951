"""The order of the journey: which command reads what which other made, and what is removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from engine_bench.scale import journey as module
from engine_bench.scale.held_back import Judgement
from engine_bench.scale.journey import Plan, clean, travel
from engine_bench.scale.steps import Step, Steps
from engine_bench.scale.watched import Watched
from engine_models.metrics import Estimate
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.errors import UsageError

Ran = list[tuple[str, str, list[str], tuple[str, ...]]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Folder, step, command and keys before it, of each step, of which none is really run."""
    seen: Ran = []

    def run(steps: Steps, name: str, command: Sequence[str], made: Path, after: Sequence[str] = ()) -> Step:
        seen.append((steps.folder.name, name, list(command), tuple(after)))
        made.mkdir(parents=True)
        counts = {"users": 1, "items": 1, "events": 1}
        return Step(name, f"{steps.folder.name}/{name}", Watched(1, 1, 1, None), 1, counts)

    monkeypatch.setattr(Steps, "run", run)
    monkeypatch.setattr(module, "judge", lambda *_: Judgement(1, Estimate(0, 0, 0), 0))
    return seen


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(
        workdir=tmp_path / "work",
        users=(30, 60),
        items=20,
        events_per_user=5,
        seed=1,
        bundle=None,
        encoder=None,
        minutes=2.0,
        memory="1GB",
        workers=2,
        force=False,
    )


def test_a_bundle_is_made_at_the_first_size(ran: Ran, plan: Plan) -> None:
    """All data sets come first, then encoder, run and bundle, then index and output of each size."""
    found = travel(plan, lambda message: None)
    data = ["generate", "keep back", "ingest"]
    order = [("users-30", data), ("users-60", data), ("bundle", ["encoder", "train", "export"])]
    order += [(folder, ["index", "serve-batch"]) for folder in ("users-30", "users-60")]
    assert [(folder, name) for folder, name, *_ in ran] == [(folder, name) for folder, names in order for name in names]
    before = {(folder, name): after for folder, name, _, after in ran}
    assert before["bundle", "encoder"] == ("users-30/ingest",)
    assert before["users-60", "index"] == ("users-60/ingest", "bundle/export")
    assert before["users-60", "serve-batch"] == ("users-60/index",)
    assert [step.name for step in found.scales[1].steps] == [*data, "index", "serve-batch"]
    assert {command[0] for *_, command, _ in ran if "--json" in command} == {ran[0][2][0]}


def test_what_is_given_is_not_made(ran: Ran, plan: Plan, bundle: Bundle, encoder: EncoderArtefact) -> None:
    """With an encoder none is exported; with a bundle nothing is trained."""
    travel(replace(plan, workdir=plan.workdir / "a", encoder=encoder.root), lambda message: None)
    assert [name for folder, name, *_ in ran if folder == "bundle"] == ["train", "export"]
    ran.clear()
    travel(replace(plan, workdir=plan.workdir / "b", bundle=bundle.root), lambda message: None)
    assert not [name for folder, name, *_ in ran if folder == "bundle"]
    assert str(bundle.root) in next(command for _, name, command, _ in ran if name == "index")


def test_a_size_that_comes_again_is_measured_again(ran: Ran, plan: Plan) -> None:
    """It has a folder of its own, so nothing of the first time is taken for done; one bundle serves all."""
    found = travel(replace(plan, users=(30, 60, 30)), lambda message: None)
    assert [folder for folder, name, *_ in ran if name == "ingest"] == ["users-30", "users-60", "users-30-2"]
    assert [folder for folder, name, *_ in ran if name == "serve-batch"] == ["users-30", "users-60", "users-30-2"]
    assert len([name for folder, name, *_ in ran if name == "train"]) == 1
    assert len(found.scales) == 3
    clean(replace(plan, users=(30, 60, 30)))
    assert not plan.workdir.exists()


@pytest.mark.usefixtures("ran")
def test_only_what_was_made_is_removed(plan: Plan) -> None:
    """The work folder goes with its own folders, unless something else is in it."""
    travel(plan, lambda message: None)
    mine = plan.workdir / "notes.txt"
    mine.write_text("mine")
    clean(plan)
    assert list(plan.workdir.iterdir()) == [mine]
    mine.unlink()
    clean(plan)
    assert not plan.workdir.exists()


def test_sizes_are_needed(plan: Plan) -> None:
    """Without a size there is nothing to measure."""
    with pytest.raises(UsageError, match="--users"):
        travel(replace(plan, users=()), lambda message: None)
