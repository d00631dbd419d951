"""Options that commands of `engine bench` share."""

from __future__ import annotations

import pytest

from engine_bench.commands.options import numbers
from engine_runtime.errors import UsageError


def test_several_numbers() -> None:
    """They are separated by commas, and there may be none."""
    assert numbers("--sizes", "") == []
    assert numbers("--sizes", "12101,1000000") == [12101, 1000000]
    for wrong in ("a", "0", "5,-1"):
        with pytest.raises(UsageError, match="--sizes takes numbers"):
            numbers("--sizes", wrong)
