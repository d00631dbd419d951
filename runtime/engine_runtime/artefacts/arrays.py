"""Arrays on disk: ``.npy``, and dataclasses as ``.npz`` with an array a field. Knows nothing of what arrays mean."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from engine_runtime.errors import ArtefactError

Held = TypeVar("Held")

# The last two come of NumPy's way to read the head of an array.
UNREADABLE = (OSError, ValueError, EOFError, MemoryError, SyntaxError, tokenize.TokenError)

# `RuntimeError` says that a file is encrypted or of a version that is not known, which damage can make it seem.
UNZIPPABLE = (zipfile.BadZipFile, RuntimeError, struct.error, zlib.error, lzma.LZMAError)


def load_array(path: Path, remedy: str, *, mapped: bool = False) -> npt.NDArray[Any]:
    """Read an array; `mapped`, it stays on the disk. Raises `ArtefactError`, which says what to do: `remedy`."""
    try:
        return np.asarray(np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False))
    except UNREADABLE as error:
        raise ArtefactError(f"{path} is no array: {error}. {remedy}") from error


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
    except (*UNREADABLE, *UNZIPPABLE, TypeError, KeyError) as error:
        raise ArtefactError(f"{path} holds no {what}: {error}. Make the artefact again.") from error
