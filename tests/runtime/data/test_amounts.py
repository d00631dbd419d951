"""Amounts of memory as people write them."""

from __future__ import annotations

import pytest

from engine_runtime.data.amounts import amount_of
from engine_runtime.errors import UsageError


@pytest.mark.parametrize(
    ("written", "amount"), [("2GB", 2 * 10**9), ("500 MB", 5 * 10**8), ("1.5GiB", 3 << 29), ("64kb", 64_000), ("7B", 7)]
)
def test_an_amount_is_read(written: str, amount: int) -> None:
    """Units are powers of a thousand, those with an i of 1024."""
    assert amount_of(written) == amount


@pytest.mark.parametrize("written", ["much", "2", "-1GB", "2 GBs", ""])
def test_what_is_no_amount_is_refused(written: str) -> None:
    """The message says how to write one."""
    with pytest.raises(UsageError, match="500MB or 2GB"):
        amount_of(written)
