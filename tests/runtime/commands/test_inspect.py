"""The command `engine inspect`, called as `main` calls it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine_runtime import cli
from tiny import World


def run(*arguments: object) -> int:
    """Run ``engine inspect``."""
    return cli.run(["inspect", *map(str, arguments)])


def test_every_kind_is_described(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads kind, digest, parents, facts and files."""
    for kind, artefact in (("bundle", world.bundle), ("dataset", world.dataset), ("index", world.index)):
        assert run(artefact.root) == 0
        said = capsys.readouterr().out
        assert f"{kind} in" in said
        assert artefact.manifest.digest in said
        assert all(Path(name).name in said for name in artefact.manifest.files)
    assert f"made from bundle   {world.bundle.manifest.digest}" in said


def test_a_description_for_machines(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A machine reads the manifest without its digests of files, and the size of all."""
    assert run(world.index.root, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["digest"]) == ("index", world.index.manifest.digest)
    assert found["parents"]["bundle"] == world.bundle.manifest.digest
    assert found["info"]["n_items"] == 32
    sizes = [path.stat().st_size for path in world.index.root.iterdir() if path.name in found["files"]]
    assert found["bytes"] == sum(sizes)


def test_long_facts_are_cut(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A fact that fills the screen is cut, and says so."""
    assert run(world.bundle.root) == 0
    assert "…" in capsys.readouterr().out


def test_damage_is_found(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A damaged artefact and no artefact are 5, no directory is 2."""
    shutil.copytree(world.index.root, tmp_path / "index")
    with (tmp_path / "index" / "vectors.npy").open("ab") as stream:
        stream.write(b"x")
    assert run(tmp_path / "index") == 5
    assert "vectors.npy is damaged" in capsys.readouterr().err
    assert run(tmp_path) == 5
    assert run(tmp_path / "none") == 2
    assert run(tmp_path / "index" / "vectors.npy") == 2
