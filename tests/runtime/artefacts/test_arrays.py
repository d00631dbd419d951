"""Dataclasses of arrays on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engine_runtime.artefacts.arrays import load_arrays, save_arrays
from engine_runtime.errors import ArtefactError


@dataclass(frozen=True)
class Pair:
    """Two arrays."""

    left: npt.NDArray[np.float32]
    right: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Triple(Pair):
    """One more."""

    further: npt.NDArray[np.int64]


def test_arrays_survive_their_file(tmp_path: Path) -> None:
    """Every field is read as it was written."""
    held = Pair(np.arange(3, dtype=np.float32), np.zeros((0, 2), np.int64))
    save_arrays(held, tmp_path / "pair.npz")
    found = load_arrays(Pair, tmp_path / "pair.npz", "pair")
    assert found.left.tolist() == [0, 1, 2]
    assert found.right.shape == (0, 2)
    assert found.right.dtype == np.int64


@pytest.mark.parametrize("content", [b"", b"no arrays", None])
def test_a_damaged_file_is_the_artefact_s_fault(tmp_path: Path, content: bytes | None) -> None:
    """Nothing, noise or a file that is not there: the message says what was looked for."""
    path = tmp_path / "pair.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArtefactError, match=r"pair\.npz holds no pair"):
        load_arrays(Pair, path, "pair")


def test_an_array_that_lacks_is_missed(tmp_path: Path) -> None:
    """A file of another kind is refused by the name of the array."""
    save_arrays(Pair(np.zeros(1, np.float32), np.zeros(1, np.int64)), tmp_path / "pair.npz")
    with pytest.raises(ArtefactError, match="further"):
        load_arrays(Triple, tmp_path / "pair.npz", "triple")


@pytest.mark.parametrize("value", [0, 1, 8, 12, 14, 93, 255])
def test_any_byte_may_be_damaged(tmp_path: Path, value: int) -> None:
    """Another version, method, length or mark of encryption in the archive's own heads is an error of the artefact."""
    path = tmp_path / "pair.npz"
    save_arrays(Pair(np.arange(3, dtype=np.float32), np.arange(2)), path)
    sound, refused = path.read_bytes(), 0
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([value]) + sound[place + 1 :])
        try:
            load_arrays(Pair, path, "pair")
        except ArtefactError:
            refused += 1
    assert refused > len(sound) // 5
