"""What is to be forgotten, looked up in all places."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.survey import Event, Request
from engine_runtime.errors import InputError, UsageError
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.erasure import erase
from engine_runtime.serve.sought import Places, find
from kept_shop import Kept
from tiny import World


@pytest.fixture
def kept(world: World, engine: Engine, tmp_path: Path) -> Kept:
    return Kept(world, engine, tmp_path)


def test_an_unknown_user_changes_nothing(kept: Kept) -> None:
    """Whoever is nowhere is named in the message, and the others are not forgotten by the way."""
    digest = Dataset.open(kept.dataset).manifest.digest
    with pytest.raises(InputError, match=r"'user nobody': in no artefact that was given\. Nothing was changed"):
        kept.forget("nobody", "u03")
    with pytest.raises(InputError, match="'event u03 i01 5'"):
        kept.forget(events=(Event("u03", "i01", 5),))
    assert Dataset.open(kept.dataset).manifest.digest == digest


def test_an_item_of_an_index_needs_the_bundle(kept: Kept) -> None:
    """Without it nothing is done; nor where no data set has all items of the index."""
    one, other = (Request(items=frozenset({item})) for item in ("i09", "i08"))
    with pytest.raises(UsageError, match="add --bundle"):
        find(one, Places((kept.dataset,), index=kept.index))
    erase(find(Request(frozenset({"u03"})), Places((kept.dataset,))))
    assert find(one, kept.places).index is not None
    erase(find(one, Places((kept.dataset,))))
    with pytest.raises(UsageError, match="has items that are in no data set"):
        find(other, kept.places)


def test_an_unfinished_output_is_refused(kept: Kept) -> None:
    """Its parts hold rows of users, and a run may be writing them."""
    folder = kept.first.with_name("first.unfinished")
    folder.mkdir()
    with pytest.raises(UsageError, match="has not finished"):
        kept.forget("u03")
