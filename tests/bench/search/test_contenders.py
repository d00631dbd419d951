"""The contenders on a few vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine_bench.search.contenders import CONTENDERS, OURS, Known, Recipe, chosen
from engine_bench.search.recall import Yardstick
from engine_bench.search.vectors import synthetic
from engine_runtime.errors import UsageError


@pytest.mark.parametrize("name", CONTENDERS)
def test_each_finds_the_best_by_inner_product(name: str, tmp_path: Path) -> None:
    """Built, kept and loaded, a wide search finds what exact search does, in one call and in calls of one query."""
    known = CONTENDERS[name]
    pytest.importorskip(known.package)
    field = synthetic(400, 16, 20, 1)
    built = known.kind().build(field.items, Recipe(8, 50, 1))
    built.save(tmp_path)
    loaded = known.kind().load(tmp_path, 16, 1)
    yardstick = Yardstick(field.items, field.queries, 10)
    found = loaded.search(field.queries, 10, 200).astype(np.int64)
    assert found.shape == (20, 10)
    assert yardstick.recall(found) == 1
    assert (built.search(field.queries, 10, 200) == found).all()
    singly = np.concatenate([loaded.search(query[None], 10, 200) for query in field.queries])
    assert (singly == found).all()
    assert loaded.settings


def test_ours_always_takes_part() -> None:
    """No name means all; a name means that one beside ours; an unknown one is refused."""
    assert list(chosen([])) == list(CONTENDERS)
    assert list(chosen(["faiss"])) == [OURS, "faiss"]
    with pytest.raises(UsageError, match="unknown contender 'no'"):
        chosen(["no"])


def test_what_is_not_installed_is_named() -> None:
    """With the line that installs it."""
    assert Known("x:X", "no_such_package").absent == (
        "not installed: no_such_package. Run: pip install 'profile-engine[bench]'"
    )
    assert CONTENDERS[OURS].absent is None
