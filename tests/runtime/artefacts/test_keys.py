"""Keys of pseudonyms on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine_runtime.artefacts.keys import KEY_BYTES, make_key, read_key
from engine_runtime.errors import InputError, UsageError


def test_a_new_key_is_read_back(tmp_path: Path) -> None:
    """A key is random bytes that its owner alone may read."""
    for name in ("one", "other"):
        make_key(tmp_path / name)
    one, other = read_key(tmp_path / "one"), read_key(tmp_path / "other")
    assert len(one) == KEY_BYTES
    assert one != other
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    """Making a key where there is a file is refused, and the file stays."""
    (tmp_path / "key").write_bytes(b"x" * 40)
    with pytest.raises(UsageError, match="never replaced"):
        make_key(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == b"x" * 40


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Neither group nor others may read or write a key; the message says how to close it."""
    make_key(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(InputError, match="chmod 600"):
        read_key(tmp_path / "key")


@pytest.mark.parametrize("size", [0, KEY_BYTES - 1, 5000])
def test_a_key_has_a_size(tmp_path: Path, size: int) -> None:
    """Too few bytes can be guessed, and a large file is no key."""
    path = tmp_path / "key"
    path.write_bytes(b"x" * size)
    path.chmod(0o600)
    with pytest.raises(InputError, match="a key has 32 to 4096"):
        read_key(path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    """Where there is no file, the message says how to make one."""
    with pytest.raises(InputError, match="engine pseudonyms new-key"):
        read_key(tmp_path / "key")
