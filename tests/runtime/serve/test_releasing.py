"""Releases made of outputs, and what they no longer say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.manifest import MANIFEST
from engine_runtime.artefacts.output import Output
from engine_runtime.artefacts.released import Released
from engine_runtime.errors import ArtefactError, InputError, UsageError
from engine_runtime.profile.contributions import QueryHead
from engine_runtime.profile.erasure import FOLDS, Moments
from engine_runtime.profile.pseudonyms import pseudonyms
from engine_runtime.serve import spreading
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.protected import OF_EVENTS, folds, matrix, vectors
from engine_runtime.serve.releasing import Wishes, pseudonym_map, release
from shops import Shop
from tiny import CONFIG, World, ingest_shop, shop_events, shop_items

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The small shop, whose users but one all say what they are."""
    items = shop_items()
    rows = "".join(f"u{user:02d},{'f' if user % 3 else 'm'},{30 + user % 2}\n" for user in range(24))
    catalogue = "id,title,brand,price\n" + "".join(item.row for item in items)
    shop = Shop(tmp_path_factory.mktemp("shop"))
    return shop.ingest(shop_events(items), catalogue, f"user,sex,age\n{rows}", CONFIG)


@pytest.fixture(scope="module")
def output(world: World, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Output:
    made, _ = serve_batch(world.engine(), dataset, tmp_path_factory.mktemp("served") / "output")
    return made


def rows_of(made: Output | Released) -> pa.Table:
    """All rows, in the order of the parts."""
    return pa.concat_tables([pq.read_table(made.part(number)) for number in range(made.info.n_parts)])


def by_name(made: Output | Released, output: Output, key: bytes) -> pa.Table:
    """Rows of a release in the order of the users of its output."""
    ids = rows_of(output)["user_id"].to_pylist()
    rows = rows_of(made)
    place = {name: row for row, name in enumerate(rows["user_id"].to_pylist())}
    return rows.take(pa.array([place[name] for name in pseudonyms(ids, key)]))


def test_names_are_pseudonyms_and_rows_in_their_order(output: Output, tmp_path: Path) -> None:
    """Each user is there once under the name that the key gives, in its order; all else is as it was served."""
    made = release(output, tmp_path / "released", Wishes(KEY))
    names = rows_of(made)["user_id"].to_pylist()
    before = rows_of(output)
    assert names == sorted(pseudonyms(before["user_id"].to_pylist(), KEY))
    after = by_name(made, output, KEY)
    for name in before.column_names[1:]:
        assert after[name].to_pylist() == before[name].to_pylist()


def test_another_key_joins_nothing(output: Output, tmp_path: Path) -> None:
    """The same key names users alike in two releases, another key, or none, names no one alike."""
    names = [
        set(rows_of(release(output, tmp_path / str(number), Wishes(key)))["user_id"].to_pylist())
        for number, key in enumerate((KEY, KEY, OTHER, None, None))
    ]
    assert names[0] == names[1]
    assert all(one.isdisjoint(other) for place, one in enumerate(names[1:], 2) for other in names[place:])


def test_rows_spread_over_parts_by_pseudonym(output: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With parts of ten users there are four, each of a quarter of all names, and rows are those of one part."""
    whole = release(output, tmp_path / "one", Wishes(KEY))
    monkeypatch.setattr(spreading, "PART_USERS", 10)
    made = release(output, tmp_path / "four", Wishes(KEY))
    assert made.info.n_parts == 4
    for number in range(4):
        for name in pq.read_table(made.part(number))["user_id"].to_pylist():
            assert int(name[0], 16) // 4 == number
    assert rows_of(made).equals(rows_of(whole))


def test_a_release_says_nothing_of_its_source(output: Output, tmp_path: Path) -> None:
    """Neither ids nor state, nor digests that tell which data it was made of, are in a release."""
    made = release(output, tmp_path / "released", Wishes(KEY))
    assert set(made.manifest.files) == {"users/part-0000.parquet"}
    assert set(made.manifest.parents) == {"bundle"}
    said = (made.root / MANIFEST).read_text()
    assert output.manifest.digest not in said
    assert output.manifest.parents["dataset"] not in said
    assert b"u07" not in made.part(0).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["released"]


def test_noisy_rows_are_made_of_the_noisy_profile(world: World, output: Output, tmp_path: Path) -> None:
    """Profile, query and interests are functions of the noisy profile; what else is worked out of events is null."""
    entropy = np.random.default_rng(3).bytes
    made = release(output, tmp_path / "r", Wishes(KEY, epsilon=20.0, delta=1e-5), world.bundle, entropy=entropy)
    rows = rows_of(made)
    profiles = matrix(rows["concepts"])
    assert np.allclose(profiles.sum(axis=1), 1, atol=1e-5)
    shape = world.bundle.info.shape
    head = QueryHead.load(world.bundle.query, shape.n_concepts, shape.dim)
    before = profiles @ head.pull
    normed = (before - before.mean(1, keepdims=True)) / np.sqrt(before.var(1, keepdims=True) + head.epsilon)
    query = matrix(rows["query"])
    assert np.allclose(query[:, : shape.dim], normed * head.weight + head.bias, atol=1e-4)
    assert not query[:, shape.dim :].any()
    for name in OF_EVENTS:
        assert rows[name].null_count == len(rows)
    for profile, interests in zip(profiles, rows["interests"].to_pylist(), strict=True):
        assert interests[0]["weight"] == pytest.approx(profile.max())
    noise = made.info.noise
    assert noise is not None
    assert (noise.mechanism, noise.epsilon, noise.delta) == ("gaussian", 20.0, 1e-5)
    assert noise.sigma == pytest.approx(0.4102, abs=0.0001)
    assert set(made.info.dropped) == set(OF_EVENTS)


def test_another_history_changes_nothing_but_its_row(world: World, output: Output, tmp_path: Path) -> None:
    """With the same random bytes a release of a shop where one user did other things differs in that row alone."""
    events = shop_events(shop_items()).replace("u08,i0", "u08,i1")
    other = ingest_shop(tmp_path / "shop", events=events)
    same = ingest_shop(tmp_path / "same")
    tables, manifests = [], []
    for number, data in enumerate((same, other)):
        served, _ = serve_batch(world.engine(), data, tmp_path / f"out{number}")
        wishes = Wishes(KEY, epsilon=50.0)
        entropy = np.random.default_rng(3).bytes
        made = release(served, tmp_path / f"released{number}", wishes, world.bundle, entropy=entropy)
        tables.append(rows_of(made))
        manifests.append((made.manifest.info, made.manifest.parents))
    assert manifests[0] == manifests[1]
    (mine,) = pseudonyms(["u08"], KEY)
    near = [np.abs(matrix(tables[0][name]) - matrix(tables[1][name])).max(1) for name in ("concepts", "query")]
    for row, name in enumerate(tables[0]["user_id"].to_pylist()):
        assert (near[0][row] > 1e-3) == (name == mine)
        assert near[1][row] < 1e-3 or name == mine


def test_responses_are_corners(world: World, output: Output, tmp_path: Path) -> None:
    """By randomized response each profile is one concept, and there is no delta."""
    made = release(output, tmp_path / "r", Wishes(KEY, epsilon=3.0, mechanism="response"), world.bundle)
    profiles = matrix(rows_of(made)["concepts"])
    assert np.array_equal(np.sort(profiles, axis=1)[:, -2:], np.tile([0.0, 1.0], (len(profiles), 1)))
    assert made.info.noise is not None
    assert (made.info.noise.delta, made.info.noise.sigma) == (0.0, 0.0)


def test_vectors_are_erased_by_what_other_users_tell(
    world: World, dataset: Dataset, output: Output, tmp_path: Path
) -> None:
    """Each fold of users is mapped by the eraser of the others; the attribute is in no basics."""
    made = release(output, tmp_path / "r", Wishes(KEY, ("sex",)), world.bundle, dataset)
    after, before = by_name(made, output, KEY), rows_of(output)
    sex = [{row["name"]: row["value"] for row in basics}.get("sex") for basics in before["basics"].to_pylist()]
    known = vectors(before).any(axis=1)
    found, values = vectors(before), np.array([[value == "f", value == "m"] for value in sex], np.float64)
    fold, given = folds(pa.chunked_array([after["user_id"].combine_chunks()])), known & values.any(axis=1)
    for left in range(FOLDS):
        others, own = given & (fold != left), known & (fold == left)
        expected = Moments.of(found[others], values[others]).eraser()(found[own])
        np.testing.assert_allclose(vectors(after)[own], expected, atol=1e-5)
    assert np.abs(vectors(after) - found)[known].max() > 1e-2
    assert not vectors(after)[~known].any()
    names = {entry["name"] for basics in after["basics"].to_pylist() for entry in basics}
    assert names == {"age"}
    assert [len(basics) for basics in after["basics"].to_pylist()] == [
        sum(entry["name"] == "age" for entry in basics) for basics in before["basics"].to_pylist()
    ]
    erasure = made.info.erasure
    assert erasure is not None
    assert (erasure.attributes, erasure.rank, erasure.n_folds) == (("sex",), 1, FOLDS)
    assert erasure.n_fitted == int((known & (np.array(sex) != None)).sum())  # noqa: E711
    top = after["interests"].to_pylist()[5][0]["weight"]
    assert top == pytest.approx(matrix(after["concepts"])[5].max())


def test_noise_and_erasure_go_together(world: World, dataset: Dataset, output: Output, tmp_path: Path) -> None:
    """Noisy vectors are erased from after the noise, two attributes at a time."""
    wishes = Wishes(KEY, ("sex", "age"), epsilon=30.0)
    made = release(output, tmp_path / "r", wishes, world.bundle, dataset)
    assert made.info.erasure is not None
    assert made.info.noise is not None
    assert made.info.erasure.attributes == ("sex", "age")
    assert 1 <= made.info.erasure.rank <= 2


def test_dropped_columns_are_null(output: Output, tmp_path: Path) -> None:
    """A column that is dropped is null in every row and named in the manifest."""
    made = release(output, tmp_path / "r", Wishes(KEY, drop=("recommendations", "query", "n_events")))
    rows = rows_of(made)
    assert {name for name in rows.column_names if rows[name].null_count == len(rows)} >= set(made.info.dropped)
    assert set(made.info.dropped) == {"recommendations", "query", "n_events"}
    assert rows["concepts"].null_count == 0


def test_what_does_not_go_together_is_refused(world: World, dataset: Dataset, output: Output, tmp_path: Path) -> None:
    """Wishes without what they need, unknown names and strangers' artefacts are refused before anything is written."""
    out = tmp_path / "r"
    with pytest.raises(UsageError, match="--bundle"):
        release(output, out, Wishes(epsilon=1.0))
    with pytest.raises(UsageError, match="--events"):
        release(output, out, Wishes(remove=("sex",)), world.bundle)
    with pytest.raises(UsageError, match="no attribute shoe of users; it has: sex, age"):
        release(output, out, Wishes(remove=("shoe",)), world.bundle, dataset)
    with pytest.raises(UsageError, match="no column colour to drop"):
        release(output, out, Wishes(drop=("colour",)))
    with pytest.raises(ArtefactError, match="was made from the dataset"):
        release(output, out, Wishes(remove=("sex",)), world.bundle, world.dataset)
    stranger = Bundle(world.bundle.root, world.index.manifest, world.bundle.info)
    with pytest.raises(ArtefactError, match="was made from the bundle"):
        release(output, out, Wishes(epsilon=1.0), stranger)
    assert not list(tmp_path.iterdir())


def test_noise_does_not_go_with_who_has_changed(world: World, dataset: Dataset, output: Output, tmp_path: Path) -> None:
    """That a user has a row among those who changed says what no noise hides; pseudonyms alone do go with it."""
    later, _ = serve_batch(world.engine(), dataset, tmp_path / "later", since=output.root)
    with pytest.raises(UsageError, match="only who has changed"):
        release(later, tmp_path / "r", Wishes(KEY, epsilon=1.0), world.bundle)
    assert release(later, tmp_path / "r", Wishes(KEY)).info.n_users == 0


@pytest.mark.parametrize(("attributes", "said"), [("u01,f,1\nu02,f,2\n", "1 values"), ("", "0 values")])
def test_an_attribute_of_one_value_cannot_be_erased(world: World, tmp_path: Path, attributes: str, said: str) -> None:
    """Where all are alike there is nothing to erase."""
    items = shop_items()
    catalogue = "id,title,brand,price\n" + "".join(item.row for item in items)
    users = f"user,sex,age\n{attributes or 'u01,,1'}"
    data = Shop(tmp_path).ingest(shop_events(items), catalogue, users, CONFIG)
    served, _ = serve_batch(world.engine(), data, tmp_path / "out")
    with pytest.raises(InputError, match=said):
        release(served, tmp_path / "r", Wishes(remove=("sex",)), world.bundle, data)


def test_the_map_joins_two_keys(output: Output, tmp_path: Path) -> None:
    """Each pseudonym of the old key stands beside that of the new one, in an order that says nothing."""
    assert pseudonym_map(output, KEY, OTHER, tmp_path / "map.parquet") == output.info.n_users
    found = pq.read_table(tmp_path / "map.parquet").to_pylist()
    ids = rows_of(output)["user_id"].to_pylist()
    expected = sorted(zip(pseudonyms(ids, KEY), pseudonyms(ids, OTHER), strict=True))
    assert [(row["old"], row["new"]) for row in found] == expected


def test_a_damaged_part_is_named(output: Output, tmp_path: Path) -> None:
    """A part that is no Parquet file, or has other columns, is an artefact's fault."""
    root = tmp_path / "output"
    (root / "users").mkdir(parents=True)
    for number in range(output.info.n_parts):
        pq.write_table(pa.table({"user_id": ["u"]}), root / "users" / output.part(number).name)
    with pytest.raises(ArtefactError, match="no lists query and concepts"):
        release(Output(root, output.manifest, output.info), tmp_path / "r", Wishes())
