"""The cache of vectors: what goes in comes out, and nothing that is wrong with a file costs a run."""

from __future__ import annotations

import multiprocessing
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine_runtime.errors import ArtefactError
from engine_runtime.inference.cache import APPLICATION, PAGE_BYTES, VectorCache, forget_texts

WIDTH = 3
DIGEST = "d" * 64
TEXTS = ["red lamp", "", "红灯", "\ud800", "x" * 100_000]

Floats = npt.NDArray[np.float32]


def vectors(count: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)


def keep(folder: Path, texts: list[str], values: Floats, output: str = "text") -> None:
    """Write as one run would."""
    with VectorCache(folder, DIGEST, "int8").opened(output, WIDTH) as kept:
        kept.write(texts, values)


def look(folder: Path, texts: list[str], output: str = "text", precision: str = "int8") -> tuple[list[bool], Floats]:
    """Read as another run would."""
    out = np.full((len(texts), WIDTH), -1, np.float32)
    with VectorCache(folder, DIGEST, precision).opened(output, WIDTH) as kept:
        found = kept.read(texts, out)
    return found.tolist(), out


@given(
    values=arrays.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(WIDTH))),
    texts=st.lists(st.text(), min_size=6, max_size=6, unique=True),
)
@settings(max_examples=25)
def test_what_is_kept_comes_back(values: Floats, texts: list[str]) -> None:
    """Finite vectors come back bit for bit; others are never kept."""
    with tempfile.TemporaryDirectory() as folder:
        keep(Path(folder), texts[: len(values)], values)
        found, out = look(Path(folder), texts)
    finite = [bool(np.isfinite(row).all()) for row in values]
    assert found == [*finite, *[False] * (len(texts) - len(values))]
    assert np.array_equal(out[found], values[finite])


def test_any_string_is_a_key(tmp_path: Path) -> None:
    """Empty, long, Chinese and malformed texts are told apart."""
    keep(tmp_path, TEXTS, vectors(len(TEXTS)))
    found, out = look(tmp_path, TEXTS)
    assert all(found)
    assert np.array_equal(out, vectors(len(TEXTS)))


def test_outputs_and_variants_do_not_mix(tmp_path: Path) -> None:
    """Each output, variant and artefact has a file of its own."""
    keep(tmp_path, ["red"], vectors(1))
    assert look(tmp_path, ["red"])[0] == [True]
    assert look(tmp_path, ["red"], output="item")[0] == [False]
    assert look(tmp_path, ["red"], precision="fp32")[0] == [False]
    assert VectorCache(tmp_path, "e" * 64, "int8").path("text") != VectorCache(tmp_path, DIGEST, "int8").path("text")


def test_no_text_is_stored(tmp_path: Path) -> None:
    """The files hold hashes and numbers, and no text."""
    keep(tmp_path, ["a secret review"], vectors(1))
    for path in tmp_path.iterdir():
        assert b"secret" not in path.read_bytes()


def test_a_file_that_is_no_cache_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Noise, a torn file and another program's database are moved away with a message, and the run goes on."""
    path = VectorCache(tmp_path, DIGEST, "int8").path("text")
    keep(tmp_path, ["red"], vectors(1))
    torn = path.read_bytes()[:20_000]
    other = tmp_path / "other"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE vectors (key BLOB, vector BLOB)")
    connection.close()
    for content in (b"no database at all" * 1000, torn, other.read_bytes()):
        caplog.clear()
        path.write_bytes(content)
        keep(tmp_path, ["blue"], vectors(1))
        assert "put aside" in caplog.text
        assert path.with_name(f"{path.name}.aside") in {aside.with_suffix("") for aside in tmp_path.glob("*.aside.*")}
        look(tmp_path, ["blue"])  # a file that breaks under its first use is begun anew by the next run
        keep(tmp_path, ["blue"], vectors(1))
        assert look(tmp_path, ["blue"])[0] == [True]


def test_a_file_of_other_vectors_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file under a wrong name is known by what it says of itself."""
    keep(tmp_path, ["red"], vectors(1))
    cache = VectorCache(tmp_path, DIGEST, "int8")
    cache.path("text").rename(cache.path("item"))
    assert look(tmp_path, ["red"], output="item")[0] == [False]
    assert "int8 text 3" in caplog.text


def test_damage_that_shows_late_costs_vectors_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A page that turns out to be broken in the middle of a run is a miss, for this text and those after it."""
    texts = [f"text {number}" for number in range(4000)]
    keep(tmp_path, texts, vectors(len(texts)))
    path = VectorCache(tmp_path, DIGEST, "int8").path("text")
    content = bytearray(path.read_bytes())
    content[4 * PAGE_BYTES :] = b"\x07" * (len(content) - 4 * PAGE_BYTES)  # all but the first leaf of each table
    path.write_bytes(content)
    out = np.zeros((len(texts), WIDTH), np.float32)
    with VectorCache(tmp_path, DIGEST, "int8").opened("text", WIDTH) as kept:
        found = kept.read(texts, out)
        kept.write(texts, out)
        assert not kept.read(texts, out).any()
    assert not found.all()
    assert "is not used" in caplog.text


def test_a_vector_that_is_damaged_is_a_miss(tmp_path: Path) -> None:
    """A row of another width, or with one flipped bit, is computed again and replaced."""
    keep(tmp_path, ["red", "blue", "green"], vectors(3))
    with sqlite3.connect(VectorCache(tmp_path, DIGEST, "int8").path("text")) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
        connection.execute("UPDATE vectors SET vector = x'00' WHERE rowid = 1")
        flipped = bytearray(connection.execute("SELECT vector FROM vectors WHERE rowid = 2").fetchone()[0])
        flipped[2] ^= 1
        connection.execute("UPDATE vectors SET vector = ? WHERE rowid = 2", (bytes(flipped),))
    connection.close()
    assert look(tmp_path, ["red", "blue", "green"])[0] == [False, False, True]
    keep(tmp_path, ["red", "blue"], vectors(2))
    assert look(tmp_path, ["red", "blue", "green"])[0] == [True, True, True]


def test_a_place_that_cannot_hold_a_cache(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file for a folder, and a folder for a file, mean no cache and a message."""
    (tmp_path / "file").write_text("x")
    VectorCache(tmp_path, DIGEST, "int8").path("text").mkdir()
    for folder in (tmp_path / "file", tmp_path):
        caplog.clear()
        keep(folder, ["red"], vectors(1))
        assert look(folder, ["red"])[0] == [False]
        assert "is not used" in caplog.text


def write_many(folder: Path, seed: int) -> None:
    """What each of several processes does."""
    for start in range(0, 200, 20):
        texts = [f"text {number}" for number in range(start, start + 20)]
        keep(folder, [*texts, f"own {seed} {start}"], np.full((21, WIDTH), 1, np.float32))


def test_processes_share_a_cache(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Several processes that begin and write at once lose nothing and break nothing."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_many, args=(tmp_path, seed)) for seed in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    texts = [f"text {number}" for number in range(200)]
    texts += [f"own {seed} {start}" for seed in range(3) for start in range(0, 200, 20)]
    found, out = look(tmp_path, texts)
    assert all(found)
    assert (out == 1).all()
    assert not list(tmp_path.glob("*.aside.*"))


def test_texts_are_forgotten(tmp_path: Path) -> None:
    """From the files of all outputs, with the bytes of their vectors; others stay, and unknown texts do no harm."""
    values = vectors(2)
    for output in ("text", "item"):
        keep(tmp_path, TEXTS[:2], values, output)
    assert forget_texts(tmp_path, [TEXTS[0], "never seen"]) == 2
    assert look(tmp_path, TEXTS[:2])[0] == look(tmp_path, TEXTS[:2], "item")[0] == [False, True]
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert values[0].tobytes() not in left
    assert values[1].tobytes() in left


def test_a_damaged_cache_cannot_forget(tmp_path: Path) -> None:
    """Nobody knows what it holds: it is named, to be removed."""
    (tmp_path / "x.sqlite").write_bytes(b"no database, but long enough to be looked at as one" * 9)
    with pytest.raises(ArtefactError, match=r"x\.sqlite cannot be used.*Remove it"):
        forget_texts(tmp_path, ["red lamp"])
