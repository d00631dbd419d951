"""How good the artefact is that is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine_bench.suite.quality import ask, measure_quality, parity_figures, spread_evenly
from engine_export.parity import Limits, ParityReport, RefinerParity, VectorParity
from engine_models.metrics import per_user, places
from engine_runtime.artefacts import bundle as layout
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.manifest import MANIFEST, Manifest
from engine_runtime.data.stored import read_catalogue, read_histories
from engine_runtime.errors import ArtefactError, InputError
from tiny import TRAINED, UNPLACED, World, ingest_shop, write_bundle

VECTORS = VectorParity(0.999, 0.998, 0.997, 0.95, 0.0)
REFINED = RefinerParity(0.999, 0.998, 0.997, 0.96, 0.01, 0.0, None, None, None)
REPORT = ParityReport(20, 10, Limits(), text={"int8": VECTORS}, item={"int8": VECTORS}, refiner={"int8": REFINED})


def bundle_with(folder: Path, report: bytes) -> Bundle:
    """A sealed bundle with such a parity report."""
    return write_bundle(folder, TRAINED, parity_json=report)


def test_figures_are_those_of_the_variant(tmp_path: Path) -> None:
    """Each part of the report gives its figures by name; what was not measured is left out."""
    figures = parity_figures(bundle_with(tmp_path / "bundle", REPORT.encode()), "int8")
    assert figures["text overlap"] == 0.95
    assert figures["refiner profile_error"] == 0.01
    assert "refiner ndcg" not in figures
    assert "item cosine_p1" in figures


def test_float32_is_what_others_are_held_against(tmp_path: Path) -> None:
    """The report needs no line for it."""
    assert parity_figures(bundle_with(tmp_path / "bundle", REPORT.encode()), "fp32")["text cosine_mean"] == 1.0


@pytest.mark.parametrize("part", ["text", "refiner"])
def test_a_sealed_bundle_without_the_variants_figures_is_refused(tmp_path: Path, part: str) -> None:
    """The message names the file, the variant and the part, and what to do."""
    bundle = bundle_with(
        tmp_path / "bundle", (replace(REPORT, text={}) if part == "text" else replace(REPORT, refiner={})).encode()
    )
    with pytest.raises(ArtefactError, match=rf"cannot be benched: .*parity\.json .* int8 under {part},.*engine export"):
        parity_figures(bundle, "int8")


@pytest.mark.parametrize("document", [b"", b"{}", b"null", b"\xff"])
def test_an_empty_report_is_refused(tmp_path: Path, document: bytes) -> None:
    """What is no report is as bad as none, for float32, too."""
    with pytest.raises(ArtefactError, match=r"cannot be benched: its parity report parity\.json cannot be read"):
        parity_figures(bundle_with(tmp_path / "bundle", document), "fp32")


def test_a_sealed_bundle_without_a_report_is_refused(tmp_path: Path) -> None:
    """A manifest that lists no report is whole, and the bundle still cannot be benched."""
    bundle = without_report(write_bundle(tmp_path / "bundle", TRAINED))
    with pytest.raises(ArtefactError, match=r"cannot be benched: its parity report parity\.json is missing"):
        parity_figures(bundle, "fp32")


def without_report(bundle: Bundle) -> Bundle:
    """The bundle sealed again without its report."""
    bundle.parity.unlink()
    files = {name: file for name, file in bundle.manifest.files.items() if name != layout.PARITY_FILE}
    bare: Manifest = replace(bundle.manifest, files=files, seal="")
    (bundle.root / MANIFEST).write_bytes(msgspec.json.encode(replace(bare, seal=bare.digest)))
    return Bundle.open(bundle.root)


def test_the_engine_that_runs_is_the_one_that_is_judged(world: World) -> None:
    """NDCG and recall are those of its own lists on last events, and lie within their intervals."""
    engine = world.engine()
    found = measure_quality(engine, world.dataset, 1000)
    asked = ask(engine, world.dataset, 1000)
    lists = engine.recommend(engine.profile(asked.without_last(1)), 10).items
    gains = per_user(places(lists, asked.last_items()))
    assert found.ndcg.value == pytest.approx(gains["ndcg@10"].mean())
    assert found.recall.value == pytest.approx(gains["recall@10"].mean())
    assert found.n_users == len(asked) > 5
    for interval in (found.ndcg, found.recall):
        assert interval.low is not None
        assert interval.high is not None
        assert interval.low <= interval.value <= interval.high


def test_the_same_seed_asks_the_same_users(world: World) -> None:
    """Two measurements agree to the last digit."""
    assert measure_quality(world.engine(), world.dataset, 5, 3) == measure_quality(world.engine(), world.dataset, 5, 3)


def test_asked_histories_are_numbered_as_the_index_numbers(world: World) -> None:
    """Every item is the one of that id, and everybody has an event before the last one."""
    engine = world.engine()
    asked = ask(engine, world.dataset, 1000)
    theirs = np.array(read_catalogue(world.dataset.items)["item_id"].to_pylist())
    ours = np.array(engine.shelf.catalogue["item_id"].to_pylist())
    whole = read_histories(world.dataset).take(asked.users)
    assert ours[asked.items].tolist() == theirs[whole.items].tolist()
    assert asked.n_ordered.min() > 1


def test_a_data_set_without_histories_cannot_show_quality(world: World, tmp_path: Path) -> None:
    """The message says what is needed."""
    with pytest.raises(InputError, match="two events in order"):
        measure_quality(world.engine(), ingest_shop(tmp_path, events=UNPLACED), 10)


@pytest.mark.parametrize(("count", "most"), [(10, 3), (10, 10), (10, 20), (1, 5), (1000, 7)])
def test_users_are_spread_over_all(count: int, most: int) -> None:
    """They are distinct, within bounds, and no gap is wider than the distance rounded up."""
    rows = spread_evenly(count, most, 1)
    assert len(rows) == min(count, most)
    assert rows.min() >= 0
    assert rows.max() < count
    assert (np.diff(rows) > 0).all()
    assert (np.diff(rows) <= -(-count // len(rows))).all()
