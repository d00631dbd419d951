"""Where the time and the memory of the encoder go."""

from __future__ import annotations

import pytest

from engine_bench.anatomy import IDLE, REST, STARTS, TOKENIZATION, Anatomy, dissect, parts
from engine_bench.anatomy_report import sheets
from engine_bench.floor import Floor
from engine_bench.node_times import ATTENTION, PRODUCTS
from engine_bench.workload import Workload
from engine_runtime.artefacts.encoder import EncoderArtefact

OPERATORS = {"MatMulIntegerToFloat": 10.0, "MatMul": 3.0}


def test_parts_are_shares_of_the_workers_time() -> None:
    """Two workers for ten seconds make twenty: nodes, tokenizer, what lies between, and idling fill them."""
    floor = Floor(100, 110, (10.0, 10.0), (18.0, 18.0), (5.0, 5.0), 1e9, 2.0, OPERATORS)
    found = parts(floor, 2)
    expected = {PRODUCTS: 0.5, ATTENTION: 0.15, TOKENIZATION: 0.1, REST: 0.15, IDLE: 0.1}
    assert found == pytest.approx(expected)
    assert sum(found.values()) == pytest.approx(1)


def test_no_part_is_negative() -> None:
    """Where measurements of a busy machine disagree, a part is 0."""
    floor = Floor(100, 110, (6.0,), (14.0,), (5.0,), 1e9, 2.0, OPERATORS)
    assert min(parts(floor, 2).values()) == 0


def test_an_encoder_is_dissected(encoder: EncoderArtefact, workload: Workload) -> None:
    """Everything is measured in fresh processes and can be shown, quality beside speed."""
    found = dissect(encoder.root, workload, 1, 2, [70], lambda message: None)
    assert isinstance(found, Anatomy)
    assert len(found.starts) == STARTS
    assert all(0 < start.load < start.whole for start in found.starts)
    assert [streamed.texts for streamed in found.streamed] == [70]
    assert found.products_speed.median > 0
    speed, share, start, memory = sheets(found)
    assert speed.rows[0][1] == f"{found.speed.median:,.0f}"
    assert speed.rows[0][-2] == f"{found.quality.overlap:.4f}"
    assert {row[0] for row in share.rows} >= {PRODUCTS, TOKENIZATION, REST, IDLE}
    assert len(start.rows) == 2
    assert memory.rows[0][0] == "70 texts"
    for sheet in (speed, share, start, memory):
        assert {len(cells) for cells in sheet.rows} == {len(sheet.columns)}
