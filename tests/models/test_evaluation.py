"""The evaluation's table."""

from __future__ import annotations

import numpy as np
import pytest

from engine_models import evaluation
from engine_models.baselines import fit_rules
from engine_models.corpus import Corpus
from engine_models.evaluation import RULES, Lists, baselines, evaluate
from engine_models.metrics import DEPTH, NAMES
from engine_models.split import Ints
from engine_models.systems import run_system
from engine_runtime.artefacts.run import Run
from engine_runtime.data.histories import histories_from
from engine_runtime.errors import InputError
from planted import corpus_of


def oracle(corpus: Corpus) -> evaluation.System:
    """A system that knows the answers."""

    def lists(users: Ints, stops: Ints) -> Lists:
        found = np.full((len(users), DEPTH), -1, np.int32)
        found[:, 0] = corpus.split.histories.items[stops]
        return found

    return lists


def test_table_has_every_system_beside_the_baselines(corpus: Corpus) -> None:
    """Baselines come first, then the systems asked; a row has all metrics, slices and the difference to the rules."""
    result = evaluate(corpus, {"oracle": [oracle(corpus)]})
    assert list(result.rows) == ["popularity", RULES, "oracle"]
    assert result.n_users == len(corpus.split.users)
    assert result.n_items == int(corpus.rankable.sum())
    for row in result.rows.values():
        assert tuple(row.metrics) == NAMES
        assert row.slices.keys() == result.slice_users.keys()
    assert all(value.mean == value.low == value.high == 1 for value in result.rows["oracle"].metrics.values())
    assert set(result.rows[RULES].against) == {"popularity", "oracle"}
    difference = 1 - result.rows[RULES].metrics["ndcg@10"].mean
    assert result.rows["oracle"].against[RULES].mean == pytest.approx(difference)


def test_seeds_are_averaged_user_by_user(corpus: Corpus) -> None:
    """A system of several seeds has their mean for each user; the deviation is that of the seeds' means."""

    def nothing(users: Ints, stops: Ints) -> Lists:
        return np.full((len(users), DEPTH), -1, np.int32)

    row = evaluate(corpus, {"both": [oracle(corpus), nothing]}).rows["both"]
    value = row.metrics["ndcg@10"]
    assert value.mean == value.low == value.high == 0.5
    assert [seed["ndcg@10"] for seed in row.seeds] == [1, 0]
    assert row.deviation["ndcg@10"] == pytest.approx(np.sqrt(0.5))


def test_texts_give_a_rung(corpus: Corpus) -> None:
    """With text vectors, rules that read them stand beside the rules that count."""
    text = np.random.default_rng(0).standard_normal((len(corpus.texts), 4)).astype(np.float32)
    assert list(evaluate(corpus, {}, directions=text).rows) == ["popularity", RULES, "rules + text"]


def test_planted_structure_is_learned(corpus: Corpus, trained: Run) -> None:
    """On rings a trained run beats popularity clearly, with and without the successor table."""
    systems = {"model": [run_system(trained, corpus, fused=False)], "fused": [run_system(trained, corpus)]}
    rows = evaluate(corpus, systems).rows
    ndcg = {name: row.metrics["ndcg@10"] for name, row in rows.items()}
    assert ndcg["model"].low > ndcg["popularity"].high + 0.2
    assert ndcg["fused"].low > ndcg["popularity"].high + 0.2
    assert ndcg["fused"].mean > 0.8


def test_the_history_is_everything_before_the_test(corpus: Corpus) -> None:
    """Systems are asked for held-out users' test events, so the validation event is part of the history."""
    asked: list[tuple[Ints, Ints]] = []

    def system(users: Ints, stops: Ints) -> Lists:
        asked.append((users, stops))
        return np.full((len(users), DEPTH), -1, np.int32)

    rows = evaluate(corpus, {"nothing": [system]}).rows
    ((users, stops),) = asked
    assert np.array_equal(users, corpus.split.users)
    assert np.array_equal(stops, corpus.split.test)
    assert rows["nothing"].metrics["recall@20"].mean == 0
    assert corpus.seen(users, stops).offsets[-1] == int((stops - corpus.split.histories.offsets[users]).sum())


def test_baselines_leave_out_what_was_seen(corpus: Corpus) -> None:
    """No baseline recommends what its user has met."""
    users, test = corpus.split.users, corpus.split.test
    seen = corpus.seen(users, test)
    text = np.random.default_rng(0).standard_normal((len(corpus.texts), 4)).astype(np.float32)
    for system in baselines(corpus, text).values():
        lists = system(users, test)
        assert lists.shape == (len(users), DEPTH)
        for row in range(len(users)):
            met = set(seen.items[seen.offsets[row] : seen.offsets[row + 1]].tolist())
            shown = [item for item in lists[row].tolist() if item >= 0]
            assert not met & set(shown)
            assert len(shown) == len(set(shown)) == len(corpus.texts) - len(met)


def test_users_are_sampled_where_asked(corpus: Corpus) -> None:
    """A sample has the size asked for and repeats with its seed; more than there are is all."""
    result = evaluate(corpus, {}, most_users=40, seed=2)
    assert result.n_users == 40
    assert result == evaluate(corpus, {}, most_users=40, seed=2)
    assert sum(count for name, count in result.slice_users.items() if "history" in name) == 40
    assert evaluate(corpus, {}, most_users=10**6).n_users == len(corpus.split.users)


def test_dials_are_fitted_on_a_sample(monkeypatch: pytest.MonkeyPatch, corpus: Corpus) -> None:
    """Of many users, the rules' dials see every n-th one's validation event."""
    asked: list[int] = []

    def spy(table: object, popularity: object, rankable: object, seen: object, targets: Lists) -> object:
        asked.append(len(targets))
        return fit_rules(table, popularity, rankable, seen, targets)  # type: ignore[arg-type]

    monkeypatch.setattr(evaluation, "fit_rules", spy)
    monkeypatch.setattr(evaluation, "VALIDATION_USERS", 50)
    baselines(corpus)
    assert asked == [len(corpus.split.users[:: len(corpus.split.users) // 50])]


def test_nobody_to_ask() -> None:
    """A data set without a held-out event is an error that says so."""
    with pytest.raises(InputError, match="nobody can be asked for"):
        evaluate(corpus_of(histories_from([[0, 1], [1]]), 3), {})
