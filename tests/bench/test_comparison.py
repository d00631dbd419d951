"""The comparison of encoders, on the tiny encoder and on peers without a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from engine_bench.comparison import STUDENT, Setting, compare
from engine_bench.fingerprint import Fingerprint
from engine_bench.peers.registry import EXACT, LATENCY, ONE_WORKER, OURS, PEERS, Known
from engine_bench.report import notes, settings, sheets
from engine_bench.results import Comparison
from engine_bench.workload import Workload
from engine_export.sources import EncoderSource
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.errors import EngineError


@pytest.fixture(scope="module")
def setting(encoder: EncoderArtefact, source: EncoderSource) -> Setting:
    return Setting(encoder.root, source.folder, None, threads=1, rounds=2, latency_calls=0)


@pytest.fixture
def found(workload: Workload, setting: Setting, fingerprint: Fingerprint, encoder: EncoderArtefact) -> Comparison:
    peers = {
        **{name: PEERS[name] for name in (OURS, EXACT, ONE_WORKER)},
        "failing": Known("fake_peers:Failing"),
        "absent": Known("x:X", ("no_such_package",)),
    }
    asked = replace(setting, student=encoder.root, latency_calls=20)
    return compare(peers, workload, asked, fingerprint, lambda message: None)


def test_those_that_run_have_rows_and_the_others_a_reason(found: Comparison, workload: Workload) -> None:
    """Rows hold speed and quality together; a peer that fails and one that is absent do not stop the rest."""
    assert [row.name for row in found.rows] == [OURS, EXACT, ONE_WORKER, STUDENT]
    assert found.left_out["failing"] == "encode failed: RuntimeError: no kernel"
    assert found.left_out["absent"] == "not installed: no_such_package. Run: pip install 'profile-engine[bench]'"
    ours, exact, one, student = found.rows
    assert all(len(row.laps) == 2 and row.tokens.median > 0 and row.cpu > 0 for row in found.rows)
    assert ours.ours.median == ours.ours.least == ours.ours.most == 1
    assert exact.quality.overlap == 1
    assert exact.quality.cosine_min == pytest.approx(1)
    assert ours.quality.overlap < 1
    assert ours.quality.invariance < 1e-5
    assert one.quality == student.quality == ours.quality
    assert (found.texts, found.tokens) == (len(workload.texts), workload.tokens)
    assert [latency.name for latency in found.latency] == [OURS]
    assert sum(len(lap) for lap in found.latency[0].seconds) == 20
    assert found.latency[0].p50 <= found.latency[0].p99

    # ... and all of it can be shown and kept
    table, latency = sheets(found)
    assert [row[0] for row in table.rows] == [row.name for row in found.rows]
    assert latency.rows[0][0] == OURS
    assert "one-thread workers" in settings(found)[OURS]
    assert any(line.startswith("absent was left out: not installed") for line in notes(found))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison) == found


def test_the_comparison_fails_where_ours_does(workload: Workload, setting: Setting, fingerprint: Fingerprint) -> None:
    """Without ours there is nothing to compare with."""
    with pytest.raises(EngineError, match="ours-int8 did not run: encode failed: RuntimeError"):
        compare({OURS: Known("fake_peers:Failing")}, workload, setting, fingerprint, lambda message: None)


def test_a_missing_yardstick(workload: Workload, setting: Setting, fingerprint: Fingerprint, tmp_path: Path) -> None:
    """An encoder without float32 says so."""
    asked = replace(setting, encoder=tmp_path)
    with pytest.raises(EngineError, match="the float32 encoder did not run"):
        compare({OURS: PEERS[OURS]}, workload, asked, fingerprint, lambda message: None)


def test_latency_is_asked_of_peers_that_are_compared() -> None:
    """What is asked for one text at a time uses what its namesake has prepared."""
    assert all(name == known.shares and name in PEERS for name, known in LATENCY.items())
