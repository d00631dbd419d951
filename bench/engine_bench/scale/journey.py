"""From raw events to served profiles at each size, step by step, with the commands that a user would call.

Knows the order of the steps and their options; knows nothing of processes. The catalogue is the same at every size, so
that one bundle fits all and what grows is users and their events alone. The bundle is given, or trained for a short
time on the data set of the first size.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from engine_bench.fingerprint import Surroundings
from engine_bench.scale.held_back import HELD_FILE, SHOWN_FOLDER, Judgement, judge
from engine_bench.scale.steps import Step, Steps, Tell, digest, engine
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.data.generate import CONFIG_FILE
from engine_runtime.errors import UsageError

SPLITTING = "engine_bench.scale.held_back"
LEARNING = "bundle"
"""Folder of the steps that make the bundle."""


@dataclass(frozen=True)
class Plan:
    """What is measured, and with what settings.

    Attributes
    ----------
    workdir
        Where all of it goes; a folder for each size, and one for the bundle.
    users
        Of each size. A size that comes again is measured again, from raw events on: how far it comes out otherwise is
        how far the machine itself moved meanwhile.
    items, events_per_user, seed
        Of the made-up shop.
    bundle
        That serves; None to train one.
    encoder
        To train it with; None to export the default one.
    minutes
        Of training.
    memory
        That ingest and serve-batch may take, as ``"2GB"``.
    workers
        Threads of each step.
    force
        Whether steps that are done are done again.
    """

    workdir: Path
    users: tuple[int, ...]
    items: int
    events_per_user: int
    seed: int
    bundle: Path | None
    encoder: Path | None
    minutes: float
    memory: str
    workers: int
    force: bool


@dataclass(frozen=True)
class Scale:
    """One size.

    Attributes
    ----------
    users, items, events
        Served, those kept back not counted.
    steps
        In order.
    index
        Bytes of the index.
    quality
        Of the very rows that were served.
    """

    users: int
    items: int
    events: int
    steps: tuple[Step, ...]
    index: int
    quality: Judgement


@dataclass(frozen=True)
class Journey:
    """What came out.

    Attributes
    ----------
    measured_on
        Machine and libraries.
    memory, workers
        As in the plan.
    learning
        Steps that made the bundle; none where it was given.
    scales
        In the order of the plan.
    """

    measured_on: Surroundings
    memory: str
    workers: int
    learning: tuple[Step, ...]
    scales: tuple[Scale, ...]


def travel(plan: Plan, tell: Tell) -> Journey:
    """Measure every size of a plan.

    Raises
    ------
    UsageError
        No size, or the work folder is taken by something else.
    ArtefactError
        The bundle or the encoder cannot be opened.
    MachineError
        A step failed.
    """
    if not plan.users:
        raise UsageError("no number of users was given. Say --users 100000,1000000.")
    if plan.bundle is not None:
        Bundle.open(plan.bundle)
    if plan.encoder is not None:
        EncoderArtefact.open(plan.encoder)
    folders = _folders(plan)
    ready = [_prepared(plan, users, folder, tell) for users, folder in zip(plan.users, folders, strict=True)]
    bundle, learning = _bundle(plan, ready[0], tell)
    after = learning[-1].key if learning else digest([Bundle.open(bundle, verify=False).manifest.digest])
    scales = [_served(plan, folder, begun, (bundle, after), tell) for folder, begun in zip(folders, ready, strict=True)]
    return Journey(Surroundings.here(), plan.memory, plan.workers, learning, tuple(scales))


def clean(plan: Plan) -> None:
    """Remove what `travel` made: its own folders in the work folder, and that where nothing else is in it."""
    for folder in [*_folders(plan), plan.workdir / LEARNING]:
        shutil.rmtree(folder, ignore_errors=True)
    if plan.workdir.exists() and not any(plan.workdir.iterdir()):
        plan.workdir.rmdir()


def _folders(plan: Plan) -> list[Path]:
    """Where each size goes."""
    before = [plan.users[:place].count(users) for place, users in enumerate(plan.users)]
    names = [f"users-{users}" + (f"-{nth + 1}" if nth else "") for users, nth in zip(plan.users, before, strict=True)]
    return [plan.workdir / name for name in names]


def _prepared(plan: Plan, users: int, folder: Path, tell: Tell) -> tuple[Step, ...]:
    """Raw events and the data set of one size."""
    steps = Steps(folder, force=plan.force, tell=tell)
    raw = folder / "raw"
    sizes = [f"--users={users}", f"--items={plan.items}", f"--events={users * plan.events_per_user}"]
    made = steps.run(
        "generate", engine("data", "generate", *sizes, f"--seed={plan.seed}", "--out", raw, "--force"), raw
    )
    splitting = [sys.executable, "-m", SPLITTING, str(raw), str(users)]
    kept = steps.run("keep back", splitting, raw / HELD_FILE, [made.key])
    ingesting = engine(
        *("data", "ingest", "--config", raw / CONFIG_FILE, "--events", raw / SHOWN_FOLDER, "--memory", plan.memory),
        *("--threads", str(plan.workers), "--out", folder / "dataset", "--force"),
    )
    return made, kept, steps.run("ingest", ingesting, folder / "dataset", [kept.key])


def _bundle(plan: Plan, ready: tuple[Step, ...], tell: Tell) -> tuple[Path, tuple[Step, ...]]:
    """The bundle that serves, and the steps that made it."""
    if plan.bundle is not None:
        return plan.bundle, ()
    folder, dataset = plan.workdir / LEARNING, _folders(plan)[0] / "dataset"
    steps, done, after = Steps(folder, force=plan.force, tell=tell), [], [ready[-1].key]
    encoder = plan.encoder
    if encoder is None:
        encoder = folder / "encoder"
        exporting = engine("export", "--calibrate", dataset, "--out", encoder, "--force")
        done.append(steps.run("encoder", exporting, encoder, after))
        after = [done[-1].key]
    else:
        after.append(EncoderArtefact.open(encoder, verify=False).manifest.digest)
    run, bundle = folder / "run", folder / "bundle"
    training = engine("train", dataset, "--encoder", encoder, f"--minutes={plan.minutes:g}", "--out", run, "--force")
    done.append(steps.run("train", training, run, after))
    exporting = engine("export", run, "--out", bundle, "--force")
    done.append(steps.run("export", exporting, bundle, [done[-1].key]))
    return bundle, tuple(done)


def _served(plan: Plan, folder: Path, ready: tuple[Step, ...], serving: tuple[Path, str], tell: Tell) -> Scale:
    """Index and output of one size, and how good what was served is."""
    bundle, after = serving
    steps = Steps(folder, force=plan.force, tell=tell)
    dataset, index, output = folder / "dataset", folder / "index", folder / "output"
    indexing = engine("index", bundle, dataset, "--threads", str(plan.workers), "--out", index, "--force")
    indexed = steps.run("index", indexing, index, [ready[-1].key, after])
    batch = engine(
        *("serve-batch", "--bundle", bundle, "--index", index, "--events", dataset),
        *("--workers", str(plan.workers), "--memory", plan.memory, "--out", output, "--force"),
    )
    served = steps.run("serve-batch", batch, output, [indexed.key])
    found = ready[-1].answer
    return Scale(
        users=found["users"],
        items=found["items"],
        events=found["events"],
        steps=(*ready, indexed, served),
        index=indexed.written,
        quality=judge(folder / "raw", dataset, output),
    )
