"""What all peers are given."""

from __future__ import annotations

import pytest

from engine_bench.workload import LONE_TEXTS, MIXED_BATCHES, SHORT_TOKENS, Workload, make_workload
from engine_export.anchors import ANCHORS
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.inference.tokenizer import Tokenizer
from tiny_models import texts_of


def test_texts_are_the_catalogues(workload: Workload, encoder: EncoderArtefact) -> None:
    """All texts are there, in their order, and the tokens are those of the engine's tokenizer."""
    assert list(workload.texts) == texts_of(60)
    lengths = Tokenizer(encoder.tokenizer, encoder.info.max_tokens)(workload.texts).lengths
    assert workload.tokens == lengths.sum()
    assert workload.short_tokens == min(lengths, key=lambda length: abs(length - SHORT_TOKENS))


def test_calibration_is_ours(workload: Workload) -> None:
    """Peers calibrate on the texts that ours does, and on its anchors."""
    assert set(ANCHORS) < set(workload.calibration)
    assert set(workload.calibration) - set(ANCHORS) <= set(texts_of(60))


@pytest.mark.parametrize("count", [1, 7])
def test_fewer_texts(dataset: Dataset, encoder: EncoderArtefact, count: int) -> None:
    """A number of texts is taken from all over the catalogue, and everything still can be made of them."""
    small = make_workload(dataset, encoder, count)
    assert len(small.texts) == count
    assert len(small.lone) == count
    assert len(small.mixed()) == MIXED_BATCHES


def test_mixed_batches_begin_with_the_lone_texts(workload: Workload) -> None:
    """Each has the same texts in front, other ones after, and a size of its own."""
    mixed = workload.mixed()
    assert all(batch[:LONE_TEXTS] == workload.lone for batch in mixed)
    assert len({len(batch) for batch in mixed}) > 5
    assert mixed == workload.mixed()
    assert mixed != workload.mixed(seed=1)
