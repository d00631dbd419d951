"""Manifests: what they keep, and what a reader refuses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_runtime.artefacts.manifest import (
    MANIFEST,
    SCHEMA,
    FileRecord,
    Manifest,
    artefact_kind,
    check_parent,
    digests,
    file_record,
    open_artefact,
    read_manifest,
    verify_files,
)
from engine_runtime.artefacts.writing import drafting
from engine_runtime.errors import ArtefactError


@dataclass(frozen=True)
class ToyInfo:
    """Facts of a toy."""

    name: str
    sizes: tuple[int, ...]
    share: float


INFO = ToyInfo("räksmörgås", (1, 2, 3), 1.0)
FILES = {"a.bin": b"\x00\x01\x02" * 7, "deep/down/b.txt": b"text", "empty": b""}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MANIFESTS = st.builds(
    Manifest,
    kind=st.just("toy"),
    schema=st.just(SCHEMA),
    creator=st.text(max_size=5),
    files=st.dictionaries(
        st.text(max_size=8), st.builds(FileRecord, st.text("0123456789abcdef"), st.integers(0, 2**40)), max_size=3
    ),
    parents=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    info=st.dictionaries(st.text(max_size=5), JSON, max_size=3),
)


def make_toy(root: Path) -> Manifest:
    """Write an artefact with some files."""
    with drafting(root, "toy") as draft:
        for name, content in FILES.items():
            (draft.path / name).parent.mkdir(parents=True, exist_ok=True)
            (draft.path / name).write_bytes(content)
        return draft.seal(INFO, {"parent": "f" * 64})


def edit(root: Path, **changes: Any) -> None:
    """Change fields of a manifest on disk, which is then one without a seal."""
    manifest = msgspec.json.decode((root / MANIFEST).read_bytes())
    (root / MANIFEST).write_bytes(msgspec.json.encode(manifest | {"seal": ""} | changes))


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    make_toy(tmp_path / "toy")
    return tmp_path / "toy"


@given(manifest=MANIFESTS)
@settings(max_examples=50)
def test_a_manifest_survives_the_way_through_a_file(
    manifest: Manifest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What was written is what is read, its digest included."""
    root = tmp_path_factory.mktemp("manifest")
    (root / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    read = read_manifest(root, "toy")
    assert read == manifest
    assert read.digest == manifest.digest


def test_a_manifest_that_was_changed_is_refused(toy: Path) -> None:
    """A fact that is not the one sealed is damage, though every file is whole; who wrote it is no such fact."""
    content = (toy / MANIFEST).read_bytes()
    (toy / MANIFEST).write_bytes(content.replace(b'"creator": "profile', b'"creator": "Profile'))
    open_artefact(toy, "toy", ToyInfo)
    (toy / MANIFEST).write_bytes(content.replace(b'"parent": "f', b'"parent": "e'))
    with pytest.raises(ArtefactError, match="seal"):
        open_artefact(toy, "toy", ToyInfo)


def test_an_artefact_is_what_was_written(toy: Path) -> None:
    """An artefact opens with its facts, files and parents."""
    manifest, info = open_artefact(toy, "toy", ToyInfo)
    assert info == INFO
    assert set(manifest.files) == set(FILES)
    assert manifest.files["a.bin"] == file_record(toy / "a.bin") == FileRecord(manifest.files["a.bin"].sha256, 21)
    assert digests({"toy": manifest}) == {"toy": manifest.digest}


def test_the_digest_is_of_the_content(toy: Path, tmp_path: Path) -> None:
    """Equal content has an equal digest whoever made it, and any other content another."""
    again = make_toy(tmp_path / "again")
    before = read_manifest(toy, "toy")
    assert again.digest == before.digest
    edit(toy, creator="someone else")
    assert read_manifest(toy, "toy").digest == before.digest
    others: list[dict[str, Any]] = [{"parents": {}}, {"info": {"name": "x"}}, {"files": {}}]
    for changes in others:
        edit(toy, **changes)
        assert read_manifest(toy, "toy").digest != before.digest


@given(name=st.sampled_from(sorted(name for name, content in FILES.items() if content)), data=st.data())
@settings(max_examples=40)
def test_any_flipped_bit_is_found(name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One bit that differs anywhere in a file is refused, and the file is named."""
    root = tmp_path_factory.mktemp("flip") / "toy"
    make_toy(root)
    content = bytearray(FILES[name])
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (root / name).write_bytes(content)
    with pytest.raises(ArtefactError, match=Path(name).name):
        open_artefact(root, "toy", ToyInfo)
    open_artefact(root, "toy", ToyInfo, verify=False)


@pytest.mark.parametrize("content", [b"", FILES["a.bin"] + b"\x00", FILES["a.bin"][:-1]])
def test_a_cut_or_grown_file_is_found(toy: Path, content: bytes) -> None:
    """A file of another size is refused."""
    (toy / "a.bin").write_bytes(content)
    with pytest.raises(ArtefactError, match="damaged"):
        open_artefact(toy, "toy", ToyInfo)


def test_a_missing_file_is_found(toy: Path) -> None:
    """A file that is gone is named."""
    (toy / "empty").unlink()
    with pytest.raises(ArtefactError, match="empty is missing"):
        open_artefact(toy, "toy", ToyInfo)


@pytest.mark.parametrize("name", ["../outside", "deep/../../outside", "/etc/hostname", "a\0b"])
def test_a_path_out_of_the_artefact_is_refused(toy: Path, name: str) -> None:
    """A manifest may not point outside of its directory."""
    (toy.parent / "outside").write_bytes(b"")
    edit(toy, files={name: {"sha256": file_record(toy / "empty").sha256, "size": 0}})
    with pytest.raises(ArtefactError, match="outside the artefact"):
        verify_files(toy, read_manifest(toy, "toy"))


def test_a_link_out_of_the_artefact_is_refused(toy: Path) -> None:
    """A symbolic link to a file elsewhere is no file of the artefact, though its content be right."""
    elsewhere = toy.parent / "elsewhere"
    (toy / "a.bin").rename(elsewhere)
    (toy / "a.bin").symlink_to(elsewhere)
    with pytest.raises(ArtefactError, match="outside the artefact"):
        open_artefact(toy, "toy", ToyInfo)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'"text"', b'{"kind": "toy"}', b'{"kind": 1}'])
def test_an_unreadable_manifest_is_refused(toy: Path, content: bytes) -> None:
    """What is no manifest is called unreadable, not a traceback."""
    (toy / MANIFEST).write_bytes(content)
    with pytest.raises(ArtefactError, match="not readable"):
        read_manifest(toy, "toy")


def test_a_directory_without_a_manifest_is_no_artefact(tmp_path: Path) -> None:
    """The kind looked for and the place are named."""
    with pytest.raises(ArtefactError, match=f"no toy in {tmp_path}"):
        read_manifest(tmp_path, "toy")
    with pytest.raises(ArtefactError, match="no artefact in"):
        artefact_kind(tmp_path)


def test_another_kind_is_refused(toy: Path) -> None:
    """Both kinds are named."""
    with pytest.raises(ArtefactError, match="'toy', but a bundle"):
        read_manifest(toy, "bundle")


def test_a_newer_schema_is_refused(toy: Path) -> None:
    """A layout of the future asks for an upgrade."""
    edit(toy, schema=SCHEMA + 1)
    with pytest.raises(ArtefactError, match="Upgrade"):
        read_manifest(toy, "toy")


@pytest.mark.parametrize("info", [{}, {"name": 1, "sizes": [], "share": 0.5}, {"name": "x", "sizes": "y", "share": 1}])
def test_facts_of_another_form_are_refused(toy: Path, info: dict[str, Any]) -> None:
    """Facts that do not fit the kind's dataclass are an artefact's fault."""
    edit(toy, info=info)
    with pytest.raises(ArtefactError, match="does not describe a toy"):
        open_artefact(toy, "toy", ToyInfo)


@pytest.mark.parametrize("content", [b"[]", b"{}", b"3", b"\xff", b"{"])
def test_the_kind_of_a_damaged_manifest(toy: Path, content: bytes) -> None:
    """Asking for the kind of a damaged manifest is an error with its path."""
    assert artefact_kind(toy) == "toy"
    (toy / MANIFEST).write_bytes(content)
    with pytest.raises(ArtefactError, match=MANIFEST):
        artefact_kind(toy)


def test_another_parent_is_refused_with_both_digests(toy: Path) -> None:
    """Version skew names the parent that was, and the one that is."""
    manifest = read_manifest(toy, "toy")
    check_parent(toy, manifest, "parent", "f" * 64)
    with pytest.raises(ArtefactError, match=f"{'f' * 12}, but the one given is {'a' * 12}"):
        check_parent(toy, manifest, "parent", "a" * 64)
    with pytest.raises(ArtefactError, match="none"):
        check_parent(toy, manifest, "bundle", "a" * 64)
