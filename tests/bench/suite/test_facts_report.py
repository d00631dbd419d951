"""The facts as tables."""

from __future__ import annotations

from engine_bench.suite.facts import Facts, Work
from engine_bench.suite.facts_report import measures, sheets
from engine_bench.suite.graphs import GraphFacts

FACTS = Facts(
    precision="int8",
    texts=Work(10, 3, 75, 100),
    histories=Work(4, 2, 20, 20),
    encoder=GraphFacts({"MatMulIntegerToFloat": 12, "Add": 3}, 1200, 2000),
    refiner=GraphFacts({"Add": 5}, 300, 400),
    sizes={"bundle a": 5, "index b": 1000},
    recall=0.9951,
    text_invariance=0.0,
    history_invariance=2e-7,
)


def test_tables_show_padding_nodes_and_sizes() -> None:
    """Padding is a share of what is computed; nodes have a sum; the largest file comes first."""
    work, nodes, files = sheets(FACTS)
    assert work.rows[0] == ("texts", "10", "3", "75", "100", "25.00%")
    assert nodes.rows == (("Add", "3", "5"), ("MatMulIntegerToFloat", "12", "0"), ("all", "15", "5"))
    assert files.rows[0] == ("index b", "1,000")


def test_single_numbers_are_named() -> None:
    """Recall and invariance are told, with the variant that they hold for."""
    found = measures(FACTS)
    assert found["variant"] == "int8"
    assert found["recall@10 of the index"] == "0.9951"
    assert "2.0e-07" in found.values()
