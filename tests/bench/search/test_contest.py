"""A comparison of indexes: contenders that run, and those that fail at each step."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from engine_bench.fingerprint import Surroundings
from engine_bench.search.contenders import CONTENDERS, OURS, Known
from engine_bench.search.contest import Setting, compete
from engine_bench.search.entry import contest
from engine_bench.search.report import BUILT_COLUMNS, CURVE_COLUMNS, PACE_COLUMNS, notes, settings, sheets
from engine_bench.search.results import Found
from engine_bench.search.vectors import Field, synthetic
from engine_runtime.errors import EngineError, InputError

SETTING = Setting(m=8, ef_construction=50, k=10, target=0.98, threads=2, rounds=2)


def fake(name: str) -> Known:
    """A contender of `fake_contenders`."""
    return Known(f"fake_contenders:{name}", "numpy")


@pytest.fixture(scope="module")
def field() -> Field:
    return synthetic(300, 16, 30, 1)


def test_those_that_run_have_rows_and_the_others_a_reason(field: Field) -> None:
    """Recall stands beside every rate; one that fails, at whatever step, does not stop the rest."""
    failing = {name.lower(): fake(name) for name in ("Unbuildable", "Unloadable", "Blind", "Dying", "Tiring")}
    members = {OURS: CONTENDERS[OURS], "exact": fake("Exact"), **failing, "absent": Known("x:X", "no_such_package")}
    found = contest(members, [lambda: field], SETTING, lambda message: None)
    (only,) = found.contests
    ours, exact, blind = only.rows
    assert (ours.name, exact.name, blind.name) == (OURS, "exact", "blind")
    assert (exact.ef, exact.recall) == (12, 1)
    assert ours.recall >= 0.98
    assert [(pace.threads, pace.singly) for pace in ours.paces] == [(2, False), (2, True), (1, False), (1, True)]
    assert all(len(pace.laps) == 2 and pace.ours.median == 1 and pace.ours_cpu.median == 1 for pace in ours.paces)
    assert len(exact.paces[1].laps[0].wall) == 30
    assert [(point.ef, point.recall) for point in exact.curve] == [(10, 0), (16, 1)]
    assert exact.built.disk == field.items.nbytes + 128  # the head of a .npy file
    assert exact.settings == "exact over 300"
    assert only.left_out["unbuildable"].endswith("no graph")
    assert only.left_out["unloadable"] == "loading failed: ValueError: no such format"
    assert "blind is not timed over 300 vectors: recall 0.1000 at most, at ef 8,192." in notes(found)
    assert (blind.recall, blind.ef, blind.paces) == (0.1, 8192, ())
    assert {point.recall for point in blind.curve} == {0.1}
    assert only.left_out["dying"].startswith("the search failed: the process ended with code 7")
    assert only.left_out["tiring"].startswith("the search failed: the process ended with code 7")
    assert only.left_out["absent"].startswith("not installed: no_such_package")

    # ... and all of it can be shown and kept
    for sheet, columns in zip(sheets(found), (BUILT_COLUMNS, PACE_COLUMNS, CURVE_COLUMNS), strict=True):
        assert sheet.columns == columns
        assert {len(cells) for cells in sheet.rows} == {len(columns)}
    assert settings(found)["exact"] == "exact over 300"
    assert any(line.startswith("absent was left out") for line in notes(found))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Found) == found


def test_without_ours_there_is_nothing_to_compare_with(field: Field) -> None:
    """Where ours fails, the comparison does, at its build or in its rounds."""
    for name, why in {
        "Unbuildable": r".*no graph",
        "Tiring": r"the search failed: the process ended with code 7",
        "Dying": r"the search failed: the process ended with code 7",
    }.items():
        with pytest.raises(EngineError, match=f"ours did not run: {why}"):
            compete({OURS: fake(name)}, field, SETTING, lambda message: None)


def test_ours_has_to_reach_the_recall(field: Field) -> None:
    """There is nothing to compare at a recall that this engine does not reach."""
    with pytest.raises(EngineError, match=r"reaches a recall of 0\.1000 at most"):
        compete({OURS: fake("Blind")}, field, SETTING, lambda message: None)


def test_fewer_vectors_than_are_wanted() -> None:
    """They are refused."""
    with pytest.raises(InputError, match="5 vectors"):
        contest({}, [lambda: synthetic(5, 8, 10, 1)], SETTING, lambda message: None)


def test_one_thread_is_timed_once(field: Field) -> None:
    """On one CPU there is no second set of rounds; the machine is told."""
    setting = Setting(m=8, ef_construction=50, k=3, target=0.5, threads=1, rounds=1)
    found = contest({OURS: fake("Exact")}, [lambda: field], setting, lambda message: None)
    assert [pace.threads for pace in found.contests[0].rows[0].paces] == [1, 1]
    assert found.machine == Surroundings.here()
    assert np.isfinite(found.contests[0].rows[0].curve[0].rate.median)
