"""What a change may not make worse, on any machine: counts and bytes to the last digit, recall and invariance at least.

Never a second: those are recorded by runs of the suite. A change that makes a number here better, or worse for a good
reason, changes it here, and the commit says why. The bundle is the seeded tiny one of the bench's tests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine_bench.suite.facts import Facts, find_facts
from engine_bench.suite.graphs import GraphFacts, graph_facts
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.inference.machine import INT8_FEATURES, this_machine
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.indexing import make_index

INT8 = pytest.mark.skipif(
    this_machine().features.isdisjoint(INT8_FEATURES), reason="int8 is exact on CPUs with dot products alone"
)


def facts_of(bundle: Bundle, dataset: Dataset, precision: str, folder: Path) -> Facts:
    """Facts of one variant with an HNSW index."""
    engine = Engine.load(bundle.root, precision=precision, threads=1)
    index = make_index(engine, dataset, folder, IndexSettings(method="hnsw"))
    return find_facts(Engine.load(bundle.root, index.root, precision, threads=1), index, dataset)


@pytest.fixture(scope="session")
def exact(bundle: Bundle, visited: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return facts_of(bundle, visited, "fp32", tmp_path_factory.mktemp("gates") / "fp32")


@pytest.fixture(scope="session")
def quantized(bundle: Bundle, visited: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return facts_of(bundle, visited, "int8", tmp_path_factory.mktemp("gates") / "int8")


def counted(nodes: GraphFacts, *kinds: str) -> dict[str, int]:
    """How many nodes of these types run, and how many of all."""
    return {kind: nodes.nodes.get(kind, 0) for kind in kinds} | {"all": sum(nodes.nodes.values())}


def check_counts(nodes: GraphFacts, expected: tuple[int, ...]) -> None:
    """Costly nodes as many as expected; of all nodes three more or less, as scales of int8 fall on other CPUs."""
    *costly, every = counted(nodes, *COSTLY).values()
    assert tuple(costly) == expected[:-1]
    assert abs(every - expected[-1]) <= 3


COSTLY = ("MatMulIntegerToFloat", "MatMul", "FusedMatMul", "QuantizeLinear", "LayerNormalization", "Softmax")


def test_no_position_is_padding(exact: Facts) -> None:
    """Texts and histories of one length share a batch: what is computed is what is real."""
    assert (exact.texts.rows, exact.texts.real, exact.texts.padded) == (60, 630, 630)
    assert (exact.histories.rows, exact.histories.real, exact.histories.padded) == (30, 120, 120)


def test_batches_do_not_fall_apart(exact: Facts) -> None:
    """As many batches as there are lengths, for none of them passes the budget."""
    assert (exact.texts.batches, exact.histories.batches) == (5, 1)


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("int8", (12, 0, 4, 8, 5, 0, 79)), ("fp32", (0, 12, 4, 0, 5, 2, 69))],
)
def test_the_encoders_graph_runs_these_nodes(bundle: Bundle, precision: str, expected: tuple[int, ...]) -> None:
    """Every linear layer of the int8 form is one integer product, and Softmax is spelled out."""
    found = graph_facts(bundle.encoder(precision))
    check_counts(found, expected)


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("int8", (12, 2, 4, 8, 6, 3, 76)), ("fp32", (0, 14, 4, 0, 6, 3, 77))],
)
def test_the_refiners_graph_runs_these_nodes(bundle: Bundle, precision: str, expected: tuple[int, ...]) -> None:
    """Every linear layer of a block is one integer product in the int8 form."""
    found = graph_facts(bundle.refiner(precision))
    check_counts(found, expected)


@pytest.mark.parametrize(
    ("precision", "of_encoder", "of_refiner"),
    [("int8", (49120, 74670), (11864, 27042)), ("fp32", (104528, 122370), (28080, 39725))],
)
def test_weights_and_files_do_not_grow(
    bundle: Bundle, precision: str, of_encoder: tuple[int, int], of_refiner: tuple[int, int]
) -> None:
    """Bytes of constants and of files are these at most; a fiftieth is left to how channels fall on other CPUs."""
    for path, (weights, size) in ((bundle.encoder(precision), of_encoder), (bundle.refiner(precision), of_refiner)):
        found = graph_facts(path)
        assert found.weight_bytes <= 1.02 * weights
        assert found.file_bytes <= 1.02 * size


def test_the_index_finds_what_exact_search_finds(exact: Facts) -> None:
    """Of a small catalogue HNSW finds nearly everything; its vectors take no more than they did."""
    assert exact.recall >= 0.99
    assert exact.sizes["index vectors.npy"] == 7808


def test_float32_does_not_feel_its_batch(exact: Facts) -> None:
    """What sums in another order may change is less than the export's bar."""
    assert max(exact.text_invariance, exact.history_invariance) <= 1e-5


@INT8
def test_int8_does_not_feel_its_batch(quantized: Facts) -> None:
    """Static scales: a text and a history are the same alone and among others, to the export's bar."""
    assert max(quantized.text_invariance, quantized.history_invariance) <= 1e-5
    assert quantized.texts.padded == quantized.texts.real
    assert quantized.recall >= 0.99
