"""An artefact made part by part: stopped, damaged, taken by another process, and mended by a later run."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine_runtime.artefacts import lock as lock_module
from engine_runtime.artefacts import unfinished as module
from engine_runtime.artefacts.lock import LOCK
from engine_runtime.artefacts.manifest import Manifest, open_artefact
from engine_runtime.artefacts.unfinished import LOG, TASK, is_begun, unfinished, unfinished_folder
from engine_runtime.errors import ArtefactError, UsageError

KIND = "toy"
PARTS = ("a", "deep/b", "deep/c")
PARENTS = {"bundle": "1" * 64}
LEAVES: tuple[dict[str, Any], ...] = ({}, {"replace": True}, {"resume": True})


@dataclass(frozen=True)
class Info:
    """What is known of a toy."""

    top_k: int
    size: int


def make(
    out: Path,
    *,
    top_k: int = 1,
    parents: dict[str, str] = PARENTS,
    replace: bool = False,
    resume: bool = False,
    stop: int | None = None,
) -> list[str]:
    """Make a toy, or stop with Ctrl-C in the middle of part number `stop`; return the parts that were written."""
    written: list[str] = []
    with unfinished(out, KIND, replace=replace, resume=resume) as work:
        work.begin(parents, {"top_k": top_k})
        if work.manifest is not None:
            return written
        (work.content / "deep").mkdir(exist_ok=True)
        for number, name in enumerate(PARTS):
            if name in work.done:
                continue
            path = work.content / name
            path.write_text("half of it")
            if number == stop:
                raise KeyboardInterrupt
            path.write_text(f"{name} of {top_k}")
            work.commit(name, {"size": number})
            written.append(name)
        work.finish(Info(top_k, work.counted("size")))
    return written


def opened(out: Path) -> tuple[Manifest, Info]:
    """The toy, verified."""
    return open_artefact(out, KIND, Info)


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def stopped(out: Path, stop: int = 2) -> None:
    """Leave a toy unfinished."""
    with pytest.raises(KeyboardInterrupt):
        make(out, stop=stop)


@pytest.fixture
def whole(tmp_path: Path) -> Manifest:
    """The manifest of a toy that was made undisturbed."""
    make(tmp_path / "whole" / "toy")
    assert names(tmp_path / "whole") == ["toy"]
    return opened(tmp_path / "whole" / "toy")[0]


@pytest.mark.parametrize("stop", [1, 2])
def test_a_later_run_goes_on(tmp_path: Path, whole: Manifest, stop: int) -> None:
    """Finished parts and their counts are kept, the half one is made again; the end is as if nothing had happened."""
    out = tmp_path / "run" / "toy"
    stopped(out, stop)
    assert is_begun(out)
    assert make(out, resume=True) == list(PARTS[stop:])
    manifest, info = opened(out)
    assert manifest == whole
    assert info.size == 3
    assert names(out.parent) == ["toy"]


def test_nothing_is_left_without_a_finished_part(tmp_path: Path) -> None:
    """A run that is stopped in its first part leaves nothing to go on from."""
    stopped(tmp_path / "toy", 0)
    assert names(tmp_path) == []


def test_resuming_is_always_safe(tmp_path: Path, whole: Manifest) -> None:
    """Where nothing was begun, all is made; where all is finished, nothing is."""
    out = tmp_path / "run" / "toy"
    assert make(out, resume=True) == list(PARTS)
    assert make(out, resume=True) == []
    assert opened(out)[0] == whole


def _flip(work: Path) -> None:
    content = (work / "content" / "a").read_bytes()
    (work / "content" / "a").write_bytes(content[:-1] + b"!")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a changed part": _flip,
    "a lost part": lambda work: (work / "content" / "a").unlink(),
    "no parts": lambda work: module._remove(work / "content"),
    "a torn line": lambda work: (work / LOG).write_bytes((work / LOG).read_bytes()[:-9]),
    "a torn line after the last": lambda work: (work / LOG).write_bytes((work / LOG).read_bytes() + b'{"name": "de'),
    "a damaged line": lambda work: (work / LOG).write_bytes(
        (work / LOG).read_bytes().replace(b'"name"', b'"n\xffme"', 1)
    ),
    "no log": lambda work: (work / LOG).unlink(),
    "no task": lambda work: (work / TASK).unlink(),
    "a torn task": lambda work: (work / TASK).write_bytes((work / TASK).read_bytes()[:-5]),
    "a stray file": lambda work: (work / "content" / "deep" / ".swap").touch(),
    "a stray link": lambda work: (work / "content" / "link").symlink_to("/nowhere"),
    "scratch": lambda work: (work / "scratch" / "dataset").mkdir(parents=True),
    "a manifest": lambda work: (work / "content" / "manifest.json").write_text("{"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_mended(tmp_path: Path, whole: Manifest, damage: str) -> None:
    """Whatever happens to the folder between two runs, the second ends with the same bytes."""
    out = tmp_path / "run" / "toy"
    stopped(out)
    DAMAGES[damage](unfinished_folder(out))
    make(out, resume=True)
    assert opened(out)[0] == whole
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == ["a", "b", "c", "manifest.json"]
    assert names(out.parent) == ["toy"]


@pytest.mark.parametrize(
    ("options", "said"),
    [({"top_k": 2}, "top-k 1, not 2"), ({"parents": {"bundle": "2" * 64}}, "bundle 1111"), ({"parents": {}}, "None")],
)
def test_another_task_is_not_gone_on_with(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    """Other settings or parents are refused by name, and what is finished stays."""
    out = tmp_path / "toy"
    stopped(out)
    with pytest.raises(ArtefactError, match=said):
        make(out, resume=True, **options)
    assert make(out, resume=True) == ["deep/c"]


def test_another_version_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of two versions of the program do not mix."""
    stopped(tmp_path / "toy")
    monkeypatch.setattr(module, "creator", lambda: "profile-engine 99")
    with pytest.raises(ArtefactError, match="profile-engine 99"):
        make(tmp_path / "toy", resume=True)


def test_an_unfinished_one_is_in_the_way(tmp_path: Path) -> None:
    """Without leave to go on or to replace, an unfinished artefact is refused; with leave to replace it goes."""
    out = tmp_path / "toy"
    stopped(out)
    with pytest.raises(UsageError, match="--resume"):
        make(out)
    assert is_begun(out)
    assert make(out, replace=True) == list(PARTS)
    assert names(tmp_path) == ["toy"]


def test_a_lock_that_is_soon_free_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of a run that was killed hold its lock for a moment; the next run begins when they have ended."""
    out = tmp_path / "toy"
    held = unfinished(out, KIND)
    held.__enter__()
    monkeypatch.setattr(time, "sleep", lambda seconds: held.__exit__(None, None, None))
    assert make(out) == list(PARTS)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """While a process makes an artefact no other may; when it is killed, its lock is free."""
    out = tmp_path / "toy"
    stopped(out)
    holder = (
        "import sys, time; from pathlib import Path; from engine_runtime.artefacts.unfinished import unfinished\n"
        f"with unfinished(Path({str(out)!r}), 'toy', resume=True): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        for options in LEAVES:
            with pytest.raises(UsageError, match="another process is writing"):
                make(out, **options)
        process.kill()
    assert make(out, resume=True) == ["deep/c"]


def test_the_lock_of_a_removed_folder_is_not_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that takes the lock just when another ends takes it again, in the folder that is there."""
    out = tmp_path / "toy"
    real, taken = lock_module._lock, []

    def remove_first(descriptor: int, place: Path) -> None:
        real(descriptor, place)
        taken.append(descriptor)
        if len(taken) == 1:
            (unfinished_folder(out) / LOCK).unlink()
            unfinished_folder(out).rmdir()

    monkeypatch.setattr(lock_module, "_lock", remove_first)
    assert make(out) == list(PARTS)
    assert len(taken) == 2


def test_what_is_replaced_is_never_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Manifest) -> None:
    """A run that is killed between two renames loses neither the old artefact nor the new one."""
    out = tmp_path / "run" / "toy"
    make(out, top_k=7)

    def killed(temporary: Path, target: Path, retired: Path) -> None:
        target.rename(retired)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "put_in_place", killed)
        with pytest.raises(KeyboardInterrupt):
            make(out, replace=True)
    assert not out.exists()
    with pytest.raises(UsageError, match="--force"):
        make(out, resume=True)
    assert opened(out)[1].top_k == 7
    assert make(out, replace=True, resume=True) == []
    assert opened(out)[0] == whole
    assert names(out.parent) == ["toy"]


def test_a_damaged_artefact_is_made_again_on_request(tmp_path: Path, whole: Manifest) -> None:
    """A finished artefact whose bytes have changed does not count as made."""
    out = tmp_path / "run" / "toy"
    make(out)
    (out / "a").write_text("changed")
    with pytest.raises(UsageError, match=r"been damaged: .*'a'.*--force|been damaged: .*/a .*--force"):
        make(out, resume=True)
    make(out, resume=True, replace=True)
    assert opened(out)[0] == whole


def test_foreign_files_stay(tmp_path: Path) -> None:
    """A folder that this engine did not make is refused, whatever leave is given, and nothing is left beside it."""
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "mine").touch()
    for options in LEAVES:
        with pytest.raises(UsageError):
            make(tmp_path / "toy", **options)
    assert names(tmp_path) == ["toy"]


def test_finishing_needs_a_beginning(tmp_path: Path) -> None:
    """A writer that forgets to begin is told."""
    with pytest.raises(RuntimeError, match="not begun"), unfinished(tmp_path / "toy", KIND) as work:
        work.finish(Info(1, 1))
    assert names(tmp_path) == []
