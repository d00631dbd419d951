"""Receipts: they name nobody, prove what they are of, and are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine_runtime.artefacts.receipt import (
    SCHEMA,
    Receipt,
    Requested,
    Rewritten,
    ScanResult,
    TraceFound,
    check_place,
    new_salt,
    now,
    read_receipt,
    request_digest,
    write_receipt,
)
from engine_runtime.errors import ArtefactError, UsageError

RECEIPT = Receipt(
    SCHEMA,
    "profile-engine",
    "2026-01-01T00:00:00Z",
    Requested(1, 0, 0, "5a", "ab"),
    (Rewritten("dataset", "d", "1", "2", {"users": 1}),),
    0,
    0,
    ScanResult(3, 100, 2, (TraceFound("log", "text", "user", 1),)),
    0.5,
    0.5,
)


def test_a_receipt_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Nothing is left beside it, and a second one does not take its place."""
    place = tmp_path / "receipt.json"
    check_place(place)
    write_receipt(RECEIPT, place)
    assert read_receipt(place) == RECEIPT
    assert [path.name for path in tmp_path.iterdir()] == ["receipt.json"]
    with pytest.raises(UsageError, match="is there already"):
        check_place(place)
    with pytest.raises(UsageError, match="is no folder"):
        check_place(tmp_path / "none" / "receipt.json")


def test_what_is_no_receipt(tmp_path: Path) -> None:
    """A damaged file is named."""
    (tmp_path / "x").write_text("{}")
    with pytest.raises(ArtefactError, match="is no receipt"):
        read_receipt(tmp_path / "x")


def test_the_digest_of_a_request() -> None:
    """The order does not matter, the salt does; lines do not run together."""
    assert request_digest("a", ["user 1", "user 2"]) == request_digest("a", ["user 2", "user 1"])
    assert request_digest("a", ["user 1"]) != request_digest("b", ["user 1"])
    assert request_digest("a", ["user 12"]) != request_digest("a", ["user 1", "2"])
    assert len({new_salt() for _ in range(9)}) == 9
    assert now().endswith("Z")
