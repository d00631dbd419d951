"""The file of what users say of their interests."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from engine_runtime.artefacts.overlay import Correction, Kind, Overlay, change, forget, read_overlay
from engine_runtime.errors import ArtefactError, UsageError

MADE = "2026-01-01T00:00:00+00:00"


def said(concept: str, kind: Kind = "mask", amount: float = 0.0) -> Correction:
    return Correction(concept, kind, amount, MADE)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """All of a correction comes back, in a folder that is made, and no other file is left there."""
    path = tmp_path / "new" / "said.json"
    corrections = [said("tea"), said("pots, lids", "scale", 0.5), said('a "b" = c', "add", 0.2)]
    made = change(path, lambda before: before.revised("u\n1", corrections))
    assert read_overlay(path) == made == Overlay(users={"u\n1": tuple(corrections)})
    assert [found.name for found in path.parent.iterdir()] == ["said.json"]


def test_a_later_word_takes_the_place_of_an_earlier_one() -> None:
    """Of one concept the last word counts; others stand, and what is cleared is gone."""
    first = Overlay().revised("u", [said("tea"), said("cup", "scale", 2.0)])
    assert first.revised("u", [said("tea", "add", 0.3)]).users["u"] == (
        said("tea", "add", 0.3),
        said("cup", "scale", 2.0),
    )
    assert first.revised("u", [], ["cup"]).users == {"u": (said("tea"),)}
    assert first.revised("u", [said("pot")], None).users == {"u": (said("pot"),)}
    assert first.revised("u", [], None).users == {}
    with pytest.raises(UsageError, match="nothing is corrected of 'pot'"):
        first.revised("u", [], ["pot"])


@pytest.mark.parametrize(
    ("corrections", "wrong"),
    [
        ([said("tea", "scale", 0.0)], "not above 0"),
        ([said("tea", "scale", float("nan"))], "not above 0"),
        ([said("tea", "scale", float("inf"))], "not above 0"),
        ([said("tea", "add", 0.0)], "at most 1"),
        ([said("tea", "add", 1.5)], "at most 1"),
        ([said("tea", "add", 0.6), said("cup", "add", 0.6)], "sum to 1.2"),
    ],
)
def test_amounts_have_bounds(corrections: list[Correction], wrong: str) -> None:
    """A factor is above 0, a weight above 0 and at most 1, and so are a user's weights together."""
    with pytest.raises(UsageError, match=wrong):
        Overlay().revised("u", corrections)


def test_weights_of_decimals_may_sum_to_one() -> None:
    """Ten tenths are one, whatever the last bit of their sum is."""
    tenths = [said(f"c{number}", "add", 0.1) for number in range(10)]
    assert len(Overlay().revised("u", tenths).users["u"]) == 10


def test_the_digest_is_that_of_what_is_said() -> None:
    """Neither order nor moment changes it, each word does; where nothing is said it is empty."""
    one = Overlay(users={"a": (said("tea"), said("cup", "scale", 2.0)), "b": (said("tea"),)})
    later = replace(said("tea"), made="2027-01-01T00:00:00+00:00")
    same = Overlay(users={"b": (later,), "a": (said("cup", "scale", 2.0), later)})
    assert one.digest == same.digest
    assert one.fingerprint("a") == same.fingerprint("a") != one.fingerprint("b") == same.fingerprint("b")
    other = Overlay(users=one.users | {"b": (said("cup"),)})
    assert other.digest != one.digest
    assert other.fingerprint("b") not in {0, one.fingerprint("b")}
    assert (Overlay().digest, one.fingerprint("c")) == ("", 0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b'{"users": {"u": [{"concept": "tea", "kind": "hide", "amount": 0, "made": ""}]}}',
        b'{"users": {"u": [{"concept": "tea", "kind": "scale", "amount": -1, "made": ""}]}}',
        b'{"users": {"u": [{"concept": "tea", "kind": "mask", "amount": 2, "made": ""}]}}',
        b'{"version": 2, "users": {}}',
        (
            b'{"users": {"u": [{"concept": "tea", "kind": "mask", "amount": 0, "made": ""},'
            b'{"concept": "tea", "kind": "add", "amount": 0.5, "made": ""}]}}'
        ),
    ],
)
def test_a_damaged_file_is_refused_and_left(tmp_path: Path, content: bytes) -> None:
    """Whatever is wrong with it, its path is named, and a change does not write over it."""
    path = tmp_path / "said.json"
    path.write_bytes(content)
    for read in (read_overlay, lambda found: change(found, lambda before: before)):
        with pytest.raises(ArtefactError, match=r"said\.json"):
            read(path)
    assert path.read_bytes() == content


def test_an_absent_file_is_no_overlay(tmp_path: Path) -> None:
    """Who wants to read it is told what makes one; from none nobody is forgotten."""
    with pytest.raises(ArtefactError, match="engine correct"):
        read_overlay(tmp_path / "said.json")
    assert forget(tmp_path / "said.json", ["u"]) == 0
    assert not (tmp_path / "said.json").exists()


def test_users_are_forgotten(tmp_path: Path) -> None:
    """Their ids are in the file no more; those who are not in it do no harm."""
    path = tmp_path / "said.json"
    for user in ("first", "second", "third"):
        change(path, lambda before, user=user: before.revised(user, [said("tea")]))  # type: ignore[misc]
    assert forget(path, ["first", "third", "nobody"]) == 2
    assert list(read_overlay(path).users) == ["second"]
    assert b"first" not in path.read_bytes()


def _speak(path: Path, user: str) -> None:
    for number in range(10):
        change(path, lambda before, number=number: before.revised(user, [said(f"c{number}")]))  # type: ignore[misc]


def test_no_word_is_lost_between_processes(tmp_path: Path) -> None:
    """Of two processes that change the file at once, each leaves what the other has said."""
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_speak, args=(tmp_path / "said.json", user)) for user in ("a", "b")]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert {user: len(held) for user, held in read_overlay(tmp_path / "said.json").users.items()} == {"a": 10, "b": 10}
