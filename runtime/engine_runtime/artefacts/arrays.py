"""Dataclasses of arrays on disk, as ``.npz`` with an array a field. Knows nothing of what the arrays mean."""

from __future__ import annotations

import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from engine_runtime.errors import ArtefactError

Held = TypeVar("Held")


def save_arrays(held: Any, path: Path) -> None:
    """Write every field of a dataclass of arrays."""
    with path.open("wb") as stream:
        np.savez(stream, **{field.name: getattr(held, field.name) for field in fields(held)})


def load_arrays(kind: type[Held], path: Path, what: str) -> Held:
    """Read what `save_arrays` wrote.

    Parameters
    ----------
    kind
        The dataclass.
    path
        The file.
    what
        What it should be, for the message.

    Raises
    ------
    ArtefactError
        The file is not there or not readable, or lacks an array.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # a dataclass, which no bound can say
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return kind(**{name: arrays[name] for name in names})
    except (OSError, ValueError, TypeError, KeyError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise ArtefactError(f"{path} holds no {what}: {error}. Make the artefact again.") from error
