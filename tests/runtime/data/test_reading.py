"""Buckets read block by block."""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data import reading
from engine_runtime.data.histories import Histories
from engine_runtime.data.reading import cuts, read_blocks, read_bucket_users
from engine_runtime.data.stored import read_bucket, read_users
from engine_runtime.errors import ArtefactError
from tiny import World


def equal(left: Histories, right: Histories) -> bool:
    """Whether two are the same in each column."""
    return all(
        np.array_equal(getattr(left, field.name), getattr(right, field.name), equal_nan=field.name in FLOATS)
        for field in fields(Histories)
    )


FLOATS = {"values", "quantities", "prices"}


def counts(dataset: Dataset, bucket: int) -> np.ndarray:
    """Events of each user of a bucket."""
    return np.asarray(read_bucket_users(dataset, bucket)["n_events"])


@pytest.mark.parametrize(
    ("users", "events", "batch"), [(2, 10**9, 1), (10**9, 9, 3), (10**9, 1, 100), (10**9, 10**9, 7)]
)
def test_blocks_put_together_are_the_bucket(
    world: World, monkeypatch: pytest.MonkeyPatch, users: int, events: int, batch: int
) -> None:
    """However blocks are cut and rows are read, each user's events come once, in order."""
    for name, value in {"BLOCK_USERS": users, "BLOCK_EVENTS": events, "BATCH_ROWS": batch}.items():
        monkeypatch.setattr(reading, name, value)
    for bucket in range(world.dataset.info.n_buckets):
        whole, start = read_bucket(world.dataset, bucket), 0
        for block in read_blocks(world.dataset, bucket, counts(world.dataset, bucket)):
            assert 0 < len(block) <= users
            assert len(block) == 1 or block.n_events <= events
            assert equal(block, whole.slice(start, start + len(block)))
            start += len(block)
        assert start == len(whole)


@pytest.mark.parametrize("users", [1, 2, 100])
def test_chosen_users_alone_are_read(world: World, monkeypatch: pytest.MonkeyPatch, users: int) -> None:
    """Blocks of some users have their events and no others."""
    monkeypatch.setattr(reading, "BLOCK_USERS", users)
    monkeypatch.setattr(reading, "BATCH_ROWS", 4)
    whole = read_bucket(world.dataset, 0)
    chosen = np.array([1, 3, 4])
    blocks = list(read_blocks(world.dataset, 0, whole.lengths, chosen))
    assert [len(block) for block in blocks] == {1: [1, 1, 1], 2: [2, 1], 100: [3]}[users]
    at = 0
    for block in blocks:
        assert equal(block, whole.take(chosen[at : at + len(block)]))
        at += len(block)
    assert list(read_blocks(world.dataset, 0, whole.lengths, chosen[:0])) == []


def test_cuts_are_by_users_and_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block is full with so many users or events; a user with more is a block alone."""
    monkeypatch.setattr(reading, "BLOCK_USERS", 3)
    monkeypatch.setattr(reading, "BLOCK_EVENTS", 10)
    assert cuts(np.array([1, 1, 1, 1])) == [0, 3, 4]
    assert cuts(np.array([4, 6, 1, 50, 0, 0, 0, 10])) == [0, 2, 3, 4, 7, 8]
    assert cuts(np.zeros(0, np.int64)) == [0]


def test_users_of_a_bucket(world: World) -> None:
    """They are the rows of the users that are the bucket's, attributes included."""
    users = read_users(world.dataset)
    found = [read_bucket_users(world.dataset, bucket) for bucket in range(world.dataset.info.n_buckets)]
    assert pa.concat_tables(found).equals(users)


def test_users_in_other_row_groups(world: World, tmp_path: Path) -> None:
    """Where row groups are not buckets the rows are the same."""
    users, copy = read_users(world.dataset), tmp_path / "dataset"
    shutil.copytree(world.dataset.root, copy)
    pq.write_table(users, copy / "users.parquet", row_group_size=5)
    other = Dataset(copy, world.dataset.manifest, world.dataset.info)
    for bucket in range(other.info.n_buckets):
        assert read_bucket_users(other, bucket).equals(read_bucket_users(world.dataset, bucket))


def test_events_that_are_not_the_users(world: World, tmp_path: Path) -> None:
    """Events of another bucket, or more or fewer than the users have, are refused with the file's name."""
    copy = tmp_path / "dataset"
    shutil.copytree(world.dataset.root, copy)
    other = Dataset(copy, world.dataset.manifest, world.dataset.info)
    known = counts(other, 0)
    shutil.copy(other.bucket(1), other.bucket(0))
    with pytest.raises(ArtefactError, match=r"bucket-0000.parquet has events of users of another bucket"):
        list(read_blocks(other, 0, known))
    for events in (pq.read_table(world.dataset.bucket(0)), pq.read_table(world.dataset.bucket(0)).slice(0, 3)):
        pq.write_table(pa.concat_tables([events, events.slice(len(events) - 1)]), other.bucket(0))
        with pytest.raises(ArtefactError, match=r"bucket-0000.parquet has other events than the users"):
            list(read_blocks(other, 0, known))
    other.bucket(0).write_bytes(b"PAR1")
    with pytest.raises(ArtefactError, match=r"bucket-0000.parquet cannot be read"):
        list(read_blocks(other, 0, known))
