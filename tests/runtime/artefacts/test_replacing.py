"""Writing an artefact anew in its place: one process, one step, nothing left beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from engine_runtime.artefacts.lock import held
from engine_runtime.artefacts.replacing import clear_leftovers, folder_of, replacing
from engine_runtime.artefacts.writing import drafting
from engine_runtime.errors import UsageError


@dataclass(frozen=True)
class Info:
    """Of a small artefact."""

    n: int = 1


@pytest.fixture
def place(tmp_path: Path) -> Path:
    with drafting(tmp_path / "artefact", "thing") as draft:
        (draft.path / "file").write_text("before")
        draft.seal(Info())
    return tmp_path / "artefact"


def test_it_is_exchanged_when_the_block_ends(place: Path) -> None:
    """Until then the one of before is there."""
    with replacing(place, "thing") as draft:
        (draft.path / "file").write_text("after")
        draft.seal(Info())
        assert (place / "file").read_text() == "before"
    assert (place / "file").read_text() == "after"
    assert [path.name for path in place.parent.iterdir()] == ["artefact"]


def test_a_draft_that_was_not_sealed_is_not_put_there(place: Path) -> None:
    """That is a mistake in the program."""
    with pytest.raises(RuntimeError, match="was not sealed"), replacing(place, "thing"):
        pass
    assert (place / "file").read_text() == "before"


def test_leftovers_go(place: Path) -> None:
    """Those of a run that was killed, whatever it left."""
    assert not clear_leftovers(place)
    (folder_of(place) / "replaced").mkdir(parents=True)
    (folder_of(place) / "replaced" / "file").write_text("secret")
    assert clear_leftovers(place)
    assert not folder_of(place).exists()


def test_two_do_not_write_at_once(place: Path) -> None:
    """The second is told, and disturbs nothing."""
    with held(folder_of(place), place):
        with pytest.raises(UsageError, match="another process is writing"), replacing(place, "thing"):
            pass
        with pytest.raises(UsageError, match="another process is writing"):
            clear_leftovers(place)
