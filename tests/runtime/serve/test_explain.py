"""One user explained with names."""

from __future__ import annotations

import pytest

from engine_runtime.artefacts import bundle
from engine_runtime.data.stored import read_users
from engine_runtime.errors import ArtefactError, InputError
from engine_runtime.profile.explanation import Reason
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.explain import explain_user
from engine_runtime.serve.portrait import portray
from tiny import World


def parts(reason: Reason) -> float:
    """The sum of an item's parts."""
    named = sum(concept.share for concept in reason.concepts) + reason.other_concepts
    return named + reason.state + reason.texts + reason.successors + reason.popular + reason.new_item + reason.norm


def test_names_and_sums(world: World, engine: Engine) -> None:
    """Every user's interests and items are those of their portrait, and all shares sum to weights and scores."""
    for user in read_users(world.dataset)["user_id"].to_pylist():
        found, row = explain_user(engine, world.dataset, user, top=3), portray(engine, world.dataset, user, 3).row
        assert [interest.name for interest in found.interests] == [interest["name"] for interest in row["interests"]]
        assert [reason.item_id for reason in found.items] == [item["item_id"] for item in row["recommendations"]]
        assert [reason.place for reason in found.items] == [1, 2, 3]
        places = {event.place for event in found.events}
        for interest in found.interests:
            assert sum(part.weight for part in interest.events) == pytest.approx(interest.weight, abs=1e-5)
            assert {part.place for part in interest.events} <= places
        for reason, item in zip(found.items, row["recommendations"], strict=True):
            assert reason.score == pytest.approx(item["score"], abs=1e-5)
            assert parts(reason) == pytest.approx(reason.score, abs=1e-5)
            events = sum(share.share for share in reason.events)
            rest = reason.popular + reason.new_item + reason.norm
            assert events + rest == pytest.approx(reason.score, abs=1e-5)
            assert {share.place for share in reason.events} <= places


def test_without_the_first_event(world: World, engine: Engine) -> None:
    """What would be without the event of the largest share agrees with that event's effect."""
    found = explain_user(engine, world.dataset, "u08", top=3)
    for reason in found.items:
        assert reason.without is not None
        first = reason.events[0]
        assert reason.without.place == first.place
        assert reason.score - reason.without.score == pytest.approx(first.effect, abs=1e-5)
        assert len(reason.without.ranking) == 3
    assert all(reason.without is None for reason in explain_user(engine, world.dataset, "idle").items)


def test_without_a_chosen_event(world: World, engine: Engine) -> None:
    """Any event can be left out, and a place that the history has not is named."""
    found = explain_user(engine, world.dataset, "u08", leave_out=2)
    for reason in found.items:
        assert reason.without is not None
        assert reason.without.place == 2
    assert 2 in {event.place for event in found.events}
    with pytest.raises(InputError, match="no event 9 to leave out: the history has 8"):
        explain_user(engine, world.dataset, "u08", leave_out=9)


def test_a_chosen_item(world: World, engine: Engine) -> None:
    """An item that is asked for is explained, whatever its place; one that is not there is named."""
    found = explain_user(engine, world.dataset, "u08", ["hidden1", "i05"])
    assert [reason.item_id for reason in found.items] == ["hidden1", "i05"]
    assert found.items[0].place is None  # it is never recommended
    assert parts(found.items[0]) == pytest.approx(found.items[0].score, abs=1e-5)
    with pytest.raises(InputError, match="no item 'nothing' among its"):
        explain_user(engine, world.dataset, "u08", ["nothing"])
    with pytest.raises(InputError, match="no user 'nobody'"):
        explain_user(engine, world.dataset, "nobody")


def test_a_bundle_of_before(world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle without the constants serves, and says that it must be exported again to be explained."""
    monkeypatch.setattr(bundle, "QUERY_FILE", "absent.npz")
    monkeypatch.delitem(engine.learned.__dict__, "query_head", raising=False)
    assert portray(engine, world.dataset, "u08").row["recommendations"]
    with pytest.raises(ArtefactError, match="Export the run again"):
        explain_user(engine, world.dataset, "u08")
