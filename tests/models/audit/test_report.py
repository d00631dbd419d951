"""A whole audit."""

from __future__ import annotations

from pathlib import Path

import pytest

from audited import CUSTOMERS, KEY, Audited, noised, renamed
from engine_models.audit.report import Audit, audit
from engine_runtime.errors import ArtefactError
from tiny import World, make_world


def verdicts(found: Audit, section: str) -> set[str]:
    """Words of one section."""
    return {figure.verdict for figure in found.figures if figure.section == section}


def linked(found: Audit) -> dict[tuple[str, str], str]:
    """Words of the figures of linkage."""
    return {(f.column, f.measure): f.verdict for f in found.figures if f.subject == "row of a candidate"}


def test_a_raw_output_identifies(audited: Audited) -> None:
    """A vector that nothing was done to is found by whoever can make it again; the planted attribute leaks."""
    found = audit(audited.output.root, audited.engine(), audited.dataset)
    assert (found.n_rows, found.n_matched, found.n_users) == (CUSTOMERS, CUSTOMERS, CUSTOMERS)
    words = linked(found)
    assert {words[column, "nearest, whole history"] for column in ("concepts", "query", "both")} == {"identifies"}
    told = {f.subject: f.verdict for f in found.figures if f.column == "query" and f.measure == "AUC, kernel probe"}
    assert told["sex"] != "like chance"
    assert told["coin"] == "like chance"


def test_pseudonyms_do_not_change_what_vectors_tell(audited: Audited, tmp_path: Path) -> None:
    """With the key, attacks on vectors find what they find in the raw output."""
    root = audited.rewritten(tmp_path / "renamed", renamed)
    raw = audit(audited.output.root, audited.engine(), audited.dataset)
    found = audit(root, audited.engine(), audited.dataset, key=KEY)
    kept = [figure for figure in found.figures if figure.section != "groups"]
    assert kept == [figure for figure in raw.figures if figure.section != "groups"]


def test_noise_is_like_chance(audited: Audited, tmp_path: Path) -> None:
    """Where vectors say nothing no user is found by them."""
    found = audit(
        audited.rewritten(tmp_path / "noised", noised), audited.engine(), audited.dataset, attributes=["coin"]
    )
    assert set(linked(found).values()) == {"like chance"}


def test_an_output_without_vectors_is_counted_alone(audited: Audited, tmp_path: Path) -> None:
    """Attacks on vectors are said not to have been made, in each section."""
    root = audited.rewritten(tmp_path / "plain", lambda table: table.drop_columns(["query", "concepts"]))
    found = audit(root, audited.engine(), audited.dataset)
    for section in ("attributes", "texts", "membership"):
        assert verdicts(found, section) == {"not measured"}
    assert "identifies" in verdicts(found, "groups")


def test_a_seed_makes_one_audit(audited: Audited) -> None:
    """The same call gives the same figures, another seed asks other users."""
    first, again = (audit(audited.output.root, audited.engine(), audited.dataset, most_users=90) for _ in range(2))
    assert first == again
    other = audit(audited.output.root, audited.engine(), audited.dataset, most_users=90, seed=1)
    assert other.figures != first.figures


def test_an_output_of_something_else_is_refused(audited: Audited, tmp_path: Path) -> None:
    """An output that names another bundle is not attacked with this one."""
    other: World = make_world(tmp_path / "other")
    with pytest.raises(ArtefactError, match="made from the dataset"):
        audit(audited.output.root, other.engine(), other.dataset)
