"""An artefact written anew in its own place, by one process, in one step.

All that is written on the way lies in one hidden folder beside the artefact, under a lock. Whatever a run that was
stopped has left there, the artefact of before included, is known to be nobody's and goes with the next run. Knows
nothing of what the files hold.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine_runtime.artefacts.lock import LOCK, held
from engine_runtime.artefacts.writing import Draft, put_in_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def folder_of(target: Path) -> Path:
    """Where the artefact at `target` is written anew."""
    place = target.absolute()
    return place.with_name(f".{place.name}.anew")


@contextmanager
def replacing(target: Path, kind: str) -> Iterator[Draft]:
    """Write the artefact at `target` anew; it is exchanged when the block ends, and stays as it is where that fails.

    Parameters
    ----------
    target
        The artefact's directory.
    kind
        What it is.

    Raises
    ------
    UsageError
        Another process does the same.
    """
    folder, place = folder_of(target), target.absolute()
    with held(folder, target):
        _empty(folder)
        content = folder / "content"
        content.mkdir()
        try:
            draft = Draft(content, kind)
            yield draft
            if draft.manifest is None:
                raise RuntimeError(f"the {kind} at {target} was not sealed")
            put_in_place(content, place, folder / "replaced")
        finally:
            _remove(folder)


def clear_leftovers(target: Path) -> bool:
    """Remove what a run that was stopped left beside `target`; return whether there was anything.

    Raises
    ------
    UsageError
        Another process is at it.
    """
    folder = folder_of(target)
    if not folder.exists():
        return False
    with held(folder, target):
        _remove(folder)
    return True


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != LOCK:
            shutil.rmtree(path)


def _remove(folder: Path) -> None:
    """Remove the folder; the lock last, for whoever takes it next must find nothing that is still to go."""
    _empty(folder)
    (folder / LOCK).unlink()
    folder.rmdir()
