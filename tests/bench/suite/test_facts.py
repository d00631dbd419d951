"""What can be said without a clock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine_bench.suite.facts import find_facts, text_invariance, work_of
from engine_bench.suite.quality import histories_for
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.errors import InputError, UsageError
from engine_runtime.inference.windows import distinct
from tiny import UNPLACED, World, encoded, ingest_shop, shop_items


def test_positions_are_counted_batch_by_batch() -> None:
    """A batch is as wide as its longest row."""
    found = work_of(np.array([3, 1, 2, 5]), [np.array([1, 2]), np.array([0, 3])])
    assert (found.rows, found.batches, found.real, found.padded) == (4, 2, 11, 14)


def test_the_same_facts_are_found_again(world: World) -> None:
    """Nothing in them depends on the clock or on threads."""
    once = find_facts(world.engine(), world.index, world.dataset)
    assert once == find_facts(world.engine(threads=2), world.index, world.dataset)


def test_all_texts_and_histories_are_counted(world: World) -> None:
    """Each distinct text once, with the tokens that the encoder reads, and of each history the events that are read."""
    engine = world.engine()
    found = find_facts(engine, world.index, world.dataset)
    texts, _ = distinct(item.title for item in shop_items())
    assert found.texts.rows == len(texts)
    assert found.texts.real == sum(min(len(text.split()), 6) + 2 for text in texts)
    assert found.texts.padded >= found.texts.real
    events = np.minimum(histories_for(engine, world.dataset).n_ordered, engine.info.shape.max_events)
    assert (found.histories.rows, found.histories.real) == (int((events > 0).sum()), int(events.sum()))
    assert found.histories.padded == found.histories.real


def test_files_and_search_are_those_of_the_artefacts(world: World) -> None:
    """Sizes are the files', an exact index finds everything, and neither text nor history feels its neighbours."""
    found = find_facts(world.engine(), world.index, world.dataset)
    assert found.sizes["bundle encoder.fp32.onnx"] == world.bundle.encoder("fp32").stat().st_size
    assert found.sizes["index vectors.npy"] == world.index.vectors.stat().st_size
    assert found.recall == 1.0
    assert max(found.text_invariance, found.history_invariance) < 1e-5


def test_a_vector_that_feels_its_batch_is_found() -> None:
    """The difference is the greatest in any number."""

    def leaning(texts: Sequence[str]) -> np.ndarray:
        return encoded(texts) + np.float32(0.25 * (len(texts) > 1))

    assert text_invariance(leaning, ["red tea", "blue cup", "lamp"]) == pytest.approx(0.25, rel=1e-5)
    assert text_invariance(encoded, ["red tea", "blue cup", "lamp"]) == 0


def test_a_data_set_without_events_has_no_facts(world: World, tmp_path: Path) -> None:
    """The message says which data set is wanted."""
    empty = ingest_shop(tmp_path, events=UNPLACED)
    with pytest.raises(InputError, match="Give the index's data set"):
        find_facts(world.engine(), world.index, empty)


def test_a_gpu_has_no_facts(world: World) -> None:
    """There, sums depend on the device, and no gate could hold them."""
    engine = world.engine()
    engine.provider = "cuda"
    with pytest.raises(UsageError, match="on a CPU"):
        find_facts(engine, IndexArtefact.open(world.index.root), world.dataset)
