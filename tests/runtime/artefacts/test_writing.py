"""Writing: an artefact is there whole or not at all."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_runtime.artefacts import writing
from engine_runtime.artefacts.exchange import exchange
from engine_runtime.artefacts.manifest import MANIFEST, open_artefact
from engine_runtime.artefacts.writing import check_free, drafting
from engine_runtime.errors import UsageError


@dataclass(frozen=True)
class Info:
    """One fact."""

    number: int


def write(target: Path, number: int = 1, *, kind: str = "toy", replace: bool = False) -> None:
    """Write an artefact of one file."""
    with drafting(target, kind, replace=replace) as draft:
        (draft.path / "file").write_text(str(number))
        draft.seal(Info(number))


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def test_the_target_appears_at_the_end(tmp_path: Path) -> None:
    """Nothing is at the target before the context is left, and nothing else is left beside it."""
    target = tmp_path / "new" / "toy"
    with drafting(target, "toy") as draft:
        (draft.path / "file").write_text("1")
        assert draft.seal(Info(1)) is draft.manifest
        assert not target.exists()
        assert draft.path.parent == target.parent
    assert names(target) == ["file", MANIFEST]
    assert names(target.parent) == ["toy"]
    assert target.stat().st_mode & 0o777 == 0o755


@given(st.sampled_from([ValueError, KeyboardInterrupt, OSError, UsageError]), st.booleans(), st.booleans())
@settings(max_examples=20)
def test_an_error_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory, error: type[BaseException], sealed: bool, there: bool
) -> None:
    """Whatever goes wrong while writing, what was there stays and nothing new does."""
    folder = tmp_path_factory.mktemp("failed")
    if there:
        write(folder / "toy", 7)

    def write_half() -> None:
        with drafting(folder / "toy", "toy", replace=True) as draft:
            (draft.path / "part").write_text("half")
            if sealed:
                draft.seal(Info(8))
            raise error

    with pytest.raises(error):
        write_half()
    assert names(folder) == (["toy"] if there else [])
    if there:
        assert open_artefact(folder / "toy", "toy", Info)[1] == Info(7)


def test_an_unsealed_draft_is_a_mistake(tmp_path: Path) -> None:
    """A writer that forgets to seal is told, and nothing appears."""
    with pytest.raises(RuntimeError, match="not sealed"), drafting(tmp_path / "toy", "toy"):
        pass
    assert names(tmp_path) == []


def test_replacing_needs_leave(tmp_path: Path) -> None:
    """An artefact is replaced on request alone, and then whole."""
    write(tmp_path / "toy", 1)
    with pytest.raises(UsageError, match="--force"):
        write(tmp_path / "toy", 2)
    write(tmp_path / "toy", 3, replace=True)
    assert open_artefact(tmp_path / "toy", "toy", Info)[1] == Info(3)
    assert names(tmp_path) == ["toy"]


def test_another_kind_is_never_replaced(tmp_path: Path) -> None:
    """Leave to replace is for the same kind."""
    write(tmp_path / "toy", 1)
    with pytest.raises(UsageError, match="is of the kind toy"):
        write(tmp_path / "toy", 2, kind="other", replace=True)


@pytest.mark.parametrize("replace", [False, True])
def test_foreign_files_are_never_replaced(tmp_path: Path, replace: bool) -> None:
    """A folder or a file that this engine did not make stays."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    for name in ("file", "folder"):
        with pytest.raises(UsageError, match=name):
            check_free(tmp_path / name, "toy", replace=replace)


def test_an_empty_folder_is_free(tmp_path: Path) -> None:
    """An empty folder may become an artefact."""
    (tmp_path / "toy").mkdir()
    write(tmp_path / "toy", 1)
    assert names(tmp_path) == ["toy"]


def test_all_is_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, folders on the way to them and the parent are flushed before the artefact counts as written."""
    flushed: list[str] = []
    monkeypatch.setattr(writing, "flush", lambda path: flushed.append(path.name))
    with drafting(tmp_path / "toy", "toy") as draft:
        (draft.path / "deep").mkdir()
        (draft.path / "deep" / "file").write_text("1")
        draft.seal(Info(1))
        assert set(flushed) == {"deep", "file", MANIFEST, draft.path.name}
    assert flushed[-1] == tmp_path.name


def test_a_replaced_artefact_is_there_at_every_moment(tmp_path: Path) -> None:
    """Whoever looks while it is replaced again and again finds one of them, whole; nothing is left beside it."""
    if not exchange(*(_folder(tmp_path / name) for name in ("left", "right"))):
        pytest.skip("this system can not exchange names")
    target, ended, missed = tmp_path / "in" / "toy", threading.Event(), []

    def look() -> None:
        while not ended.is_set():
            if not (target / MANIFEST).is_file():
                missed.append(target)

    write(target)
    looking = threading.Thread(target=look)
    looking.start()
    try:
        for number in range(30):
            write(target, number, replace=True)
    finally:
        ended.set()
        looking.join()
    assert not missed
    assert names(target.parent) == ["toy"]
    assert (target / "file").read_text() == "29"


def test_names_that_cannot_be_exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere an artefact is replaced by two renames, and nothing is left beside it either."""
    monkeypatch.setattr(writing, "exchange", lambda left, right: False)
    write(tmp_path / "toy")
    write(tmp_path / "toy", 2, replace=True)
    assert names(tmp_path) == ["toy"]
    assert (tmp_path / "toy" / "file").read_text() == "2"


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_document_keeps_who_may_read_it(tmp_path: Path) -> None:
    """A new one is for all, one that was closed to others stays so, and nothing is left beside either."""
    path = tmp_path / "said.json"
    writing.write_document(path, {"a": 1})
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o600)
    writing.write_document(path, {"a": 2})
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == '{\n  "a": 2\n}\n'
    assert list(tmp_path.iterdir()) == [path]
