"""Counts of rejected rows."""

from __future__ import annotations

import pytest

from engine_runtime.data.rejects import MOST_REASONS, OTHER, count_reasons, without_quotes
from engine_runtime.errors import ArtefactError
from shops import Shop

EVENTS = "user,item,time\nann,a,1700000000\n,a,1700000000\n,b,1700000000\nbob,a,soon\n"


def test_reasons_are_counted_the_most_frequent_first(shop: Shop) -> None:
    """Each reason has the number of its rows."""
    reasons = count_reasons(shop.ingest(EVENTS))
    assert list(reasons.items()) == [("user id is missing", 2), ("time cannot be read", 1)]
    assert count_reasons(shop.ingest("user,item,time\nann,a,1700000000\n")) == {}


def test_damaged_rejects_are_an_artefact_error(shop: Shop) -> None:
    """A file that is no Parquet is named."""
    dataset = shop.ingest(EVENTS)
    dataset.rejects.write_bytes(b"PAR1")
    with pytest.raises(ArtefactError, match=r"rejects\.parquet cannot be read"):
        count_reasons(dataset)


def test_no_cell_leaves_with_a_reason() -> None:
    """What a reason quotes is cut off, and reasons that are alike without it are one."""
    reasons = {"unknown event type 'ann@shop' (known: buy)": 2, "unknown event type 'bob' (known: buy)": 3}
    assert without_quotes(reasons | {"user id is missing": 4}) == {"unknown event type": 5, "user id is missing": 4}


def test_there_are_few_reasons() -> None:
    """The rare ones are counted together, and no row is lost."""
    found = without_quotes({f"{n} fields where 3 were expected": 1000 - n for n in range(MOST_REASONS + 5)})
    assert len(found) == MOST_REASONS + 1
    assert found[OTHER] == sum(1000 - n for n in range(MOST_REASONS, MOST_REASONS + 5))
    assert sum(found.values()) == sum(1000 - n for n in range(MOST_REASONS + 5))
