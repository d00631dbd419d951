"""The weights as a plain graph."""

from __future__ import annotations

from engine_bench.peers.exported import padded_graph
from fake_peers import MakeTask


def test_peers_get_a_graph_that_takes_padding(make_task: MakeTask) -> None:
    """It has a mask, whatever graph ours runs."""
    graph = padded_graph(make_task("one")).graph
    assert "attention_mask" in {tensor.name for tensor in graph.input}
    assert [tensor.name for tensor in graph.output] == ["text"]
