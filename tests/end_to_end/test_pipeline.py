"""From raw files to served profiles by the installed command alone."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from end_to_end.command import engine, rows_of, succeed
from end_to_end.shop_files import USERS, Shop

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # child processes are not this test's business


@pytest.fixture(scope="module")
def profiles(shop: Shop) -> Path:
    """The served output."""
    out = shop.root / "profiles"
    succeed("serve-batch", *_serving(shop), "--events", shop.dataset, "--out", out)
    return out


def _serving(shop: Shop) -> tuple[str | Path, ...]:
    return ("--bundle", shop.bundle, "--index", shop.index)


def test_every_user_is_served_once(shop: Shop, profiles: Path) -> None:
    """Users with one event and with none have a row too, and nobody has two."""
    served = rows_of(f"select user_id, n_events from '{profiles}/users/*.parquet'")
    assert len(served) == len({user for user, _ in served}) == USERS + 1
    assert dict(served)["c0"] == 1
    assert dict(served)[f"c{USERS}"] == 0


def test_no_recommendation_was_seen_before(shop: Shop, profiles: Path) -> None:
    """Items of a user's history are never recommended to that user."""
    with shop.events.open() as stream:
        seen = {(row["customer"], row["sku"]) for row in csv.DictReader(stream)}
    rows = pq.read_table(profiles / "users").to_pylist()
    recommended = [(row["user_id"], found["item_id"]) for row in rows for found in row["recommendations"]]
    assert len(recommended) == 10 * (USERS + 1)
    assert not seen & set(recommended)


def test_a_profile_is_a_distribution_over_named_concepts(profiles: Path) -> None:
    """The concepts of a user with events sum to 1, and the interests are the largest of them."""
    row = next(row for row in pq.read_table(profiles / "users").to_pylist() if row["user_id"] == "c1")
    assert sum(row["concepts"]) == pytest.approx(1, abs=1e-5)
    assert row["interests"][0]["weight"] == pytest.approx(max(row["concepts"]))
    assert row["basics"] == [{"name": "city", "value": "Porto", "probability": None}]
    assert row["spending"]["total"] > 0


def test_the_same_run_writes_the_same_bytes(shop: Shop, profiles: Path, tmp_path: Path) -> None:
    """Serving again, on one worker, gives an output with an equal digest."""
    again = succeed(
        "serve-batch",
        *_serving(shop),
        "--events",
        shop.dataset,
        "--out",
        tmp_path / "again",
        "--workers",
        "1",
        "--json",
    )
    assert again.document["digest"] == succeed("inspect", profiles, "--json").document["digest"]


def test_raw_events_are_served_like_a_data_set(shop: Shop, profiles: Path, tmp_path: Path) -> None:
    """Raw files with a TOML give the same vectors and recommendations as the ingested data set."""
    raw = ("--events", shop.events, "--config", shop.config)
    succeed("serve-batch", *_serving(shop), *raw, "--out", tmp_path / "raw")
    query = "select user_id, query, recommendations from '{}/users/*.parquet' where n_events > 0 order by user_id"
    assert rows_of(query.format(tmp_path / "raw")) == rows_of(query.format(profiles))


def test_one_user_is_shown_as_a_person_reads_it(shop: Shop) -> None:
    """`engine recommend` shows interests and titles of recommended items."""
    answer = succeed("recommend", "c1", *_serving(shop), "--events", shop.dataset)
    assert "interests" in answer.out
    assert "number" in answer.out


def test_a_run_and_its_bundle_are_evaluated_beside_the_baselines(shop: Shop) -> None:
    """The table holds both baselines, the run and the bundle, and served quality is that of the run."""
    run = shop.root / "work" / "run"
    document = succeed("evaluate", run, shop.bundle, shop.dataset, "--index", shop.index, "--json").document
    ndcg = {name: row["metrics"]["ndcg@10"]["mean"] for name, row in document["rows"].items()}
    served = next(value for name, value in ndcg.items() if "as served" in name)
    exact = next(value for name, value in ndcg.items() if "model, fp32 exact" in name)
    assert {"popularity", "counting rules"} <= ndcg.keys()
    assert served == pytest.approx(exact, abs=0.05)
    assert served > ndcg["popularity"]


def test_an_attribute_is_learned_and_predicted(shop: Shop, tmp_path: Path) -> None:
    """A run is taught to tell the city; its bundle says it of users whose city is not given, and of no others."""
    run, bundle, index = tmp_path / "run", tmp_path / "bundle", tmp_path / "index"
    learned = succeed("labels", shop.root / "work" / "run", shop.dataset, "--labels", "city", "--out", run, "--json")
    assert [head["name"] for head in learned.document["labels"]] == ["city"]
    succeed("export", run, "--out", bundle)
    succeed("index", bundle, shop.dataset, "--out", index)
    serving = ("--bundle", bundle, "--index", index, "--events", shop.events, "--config", shop.config)
    succeed("serve-batch", *serving, "--out", tmp_path / "raw")
    (basics,) = rows_of(f"select basics from '{tmp_path}/raw/users/*.parquet' where user_id = 'c1'")[0]
    assert [basic["name"] for basic in basics] == ["city"]
    assert 0.5 <= basics[0]["probability"] <= 1
    assert "predicted" not in succeed("recommend", "c1", *serving[:4], "--events", shop.dataset).out


def test_every_artefact_is_found_whole(shop: Shop, profiles: Path) -> None:
    """`engine inspect` verifies each kind of directory that the pipeline made."""
    work = shop.root / "work"
    made = (shop.dataset, work / "encoder", work / "run", shop.bundle, shop.index, profiles)
    kinds = [succeed("inspect", path, "--json").document["kind"] for path in made]
    assert kinds == ["dataset", "encoder", "run", "bundle", "index", "output"]


def test_the_bundle_moves_to_another_place(shop: Shop, tmp_path: Path) -> None:
    """A bundle and an index hold no path of the machine that made them."""
    for part in (shop.bundle, shop.index):
        for path in part.rglob("*.json"):
            assert str(shop.root) not in path.read_text(encoding="utf-8")


def test_an_output_is_not_overwritten_unasked(shop: Shop, profiles: Path) -> None:
    """A directory in the way is an error that names --force."""
    answer = engine("serve-batch", *_serving(shop), "--events", shop.dataset, "--out", profiles)
    assert answer.code == 2
    assert "--force" in answer.err
