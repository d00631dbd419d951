"""A data set as training reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine_models.corpus import Corpus, evenly, events_of, read_corpus, read_part
from engine_runtime.artefacts.dataset import Dataset, Scale
from engine_runtime.data.histories import histories_from
from engine_runtime.errors import InputError
from planted import KINDS, Rings, corpus_of
from shops import Shop


def test_corpus_is_the_walks(corpus: Corpus) -> None:
    """Catalogue, histories and held-out events are those that were ingested."""
    rings = Rings()
    walks = rings.walks()
    assert len(corpus.texts) == len(KINDS) * rings.size + 2
    assert corpus.item_ids.column_names == ["item_id", "trained"]
    described = corpus.described()
    assert described.texts == described.titles == corpus.texts
    assert set(described.categories) == {None}
    found = np.split(corpus.split.histories.items, corpus.split.histories.offsets[1:-1])
    assert sorted(walk.tolist() for walk in found) == sorted(walks)
    counts = np.bincount([item for walk in walks for item in walk[:-2]], minlength=len(corpus.texts))
    assert corpus.popularity.tolist() == counts.tolist()
    assert corpus.trained.tolist() == np.flatnonzero(counts).tolist()
    assert not corpus.popularity[-2:].any()


@pytest.mark.parametrize("most_items", [15, 28, 40])
def test_part_of_a_catalogue_learns_from_no_held_out_event(dataset: Dataset, corpus: Corpus, most_items: int) -> None:
    """What is held out of a whole history is in no training part of a cut one, however little is left of it."""
    part = read_part(dataset, most_items)
    assert len(part.texts) == most_items
    items, offsets = part.training_part()
    assert len(items)
    whole = [set(items) for items in np.split(*_cut(*corpus.training_part()))]
    number = {text: item for item, text in enumerate(corpus.texts)}
    for learned, allowed in zip(np.split(*_cut(items, offsets)), whole, strict=True):
        assert {number[part.texts[item]] for item in learned} <= allowed


def _cut(items: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return items, offsets[1:-1]


def test_training_part_holds_what_is_learned() -> None:
    """Held-out events, events of other types and items that may not be recommended are left out of the counts."""
    histories = histories_from([[0, 1, 2, 3, 4, 5], [1, 2], []], types=[[0, 1, 0, 0, 0, 0], [0, 0], []])
    corpus = corpus_of(histories, 6, weights=(1.0, 0.0), unrankable=[2])
    items, offsets = corpus.training_part()
    assert items.tolist() == [0, 3, 1]
    assert offsets.tolist() == [0, 2, 3, 3]
    assert corpus.popularity.tolist() == [1, 1, 0, 1, 0, 0]


def test_only_what_may_be_shown_is_described() -> None:
    """Names of concepts come from items that may be recommended, and an item without a title is called by its id."""
    described = corpus_of(histories_from([[0, 1, 2]]), 4, unrankable=[1]).described()
    assert described.texts == ["item 0", "item 2", "item 3"]
    assert len(described.titles) == len(described.categories) == 3
    assert all(described.titles)


def test_users_of_an_item_are_counted_once() -> None:
    """A user who has met an item twice is one user, and what is held out of a history counts too."""
    corpus = corpus_of(histories_from([[0, 0, 1, 2], [0, 2], []]), 4)
    assert corpus.n_users.tolist() == [2, 1, 2, 0]


def test_seen_is_everything_before() -> None:
    """What a user has seen holds every event before the one asked for, of any type."""
    histories = histories_from([[0, 1], [2, 3, 4, 5]], types=[[0, 0], [0, 1, 0, 0]])
    corpus = corpus_of(histories, 6, weights=(1.0, 0.0))
    seen = corpus.seen(corpus.split.users, corpus.split.test)
    assert corpus.split.users.tolist() == [1]
    assert seen.items.tolist() == [2, 3, 4]
    assert seen.offsets.tolist() == [0, 3]


def test_events_are_scaled() -> None:
    """Values and gaps are scaled as the model reads them, absent ones 0."""
    histories = histories_from([[0, 1], [2]], values=[[5.0, float("nan")], [3.0]], times=[[100, 160], [7]])
    events = events_of(
        corpus_of(histories, 3).split, Scale(3.0, 2.0, False), Scale(0.0, 60.0, False), torch.device("cpu")
    )
    assert events.values.tolist() == [1.0, 0.0, 0.0]
    assert events.gaps.tolist() == [0.0, 1.0, 0.0]
    assert events.items.dtype == events.types.dtype == torch.int64
    assert events.is_target.all()


@pytest.mark.parametrize(
    ("events", "extra"),
    [
        ("u,a,5\nv,b,6\n", ""),
        ("u,a,5\nu,b,6\nu,c,7\n", ""),
        ("u,a,5\nu,b,6\n", "[event_types]\nview = 0.0\n"),
    ],
)
def test_nothing_to_learn_is_said(tmp_path: Path, events: str, extra: str) -> None:
    """One event a user, or no more than what is held out, or no type to learn is an error that says what to check."""
    header = '[events]\nuser = "user"\nitem = "item"\ntime = "time"\ntime_format = "seconds"\n'
    kind = 'default_type = "view"\n' if extra else ""
    config = header + kind + extra + '[items]\nid = "id"\ntext = "{title}"\ntitle = "title"\n'
    dataset: Dataset = Shop(tmp_path).ingest("user,item,time\n" + events, config=config)
    with pytest.raises(InputError, match=r"no history to learn from.*Check the time or order column"):
        read_corpus(dataset)


def test_rows_are_chosen_evenly() -> None:
    """First and last are among them; where there are fewer than wanted, all are; of none there are none."""
    assert evenly(101, 5).tolist() == [0, 25, 50, 75, 100]
    assert evenly(3, 5).tolist() == [0, 1, 2]
    assert evenly(0, 5).tolist() == []
