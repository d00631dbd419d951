"""`engine audit`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audited import CUSTOMERS, KEY, Audited, ingest_customers, renamed
from engine_runtime.cli import run as engine


def test_a_person_reads_what_leaks(audited: Audited, capsys: pytest.CaptureFixture[str]) -> None:
    """Four tables, each figure with its word, and what nobody could measure is said."""
    assert engine(["audit", str(audited.output.root), *audited.options, "--users", "90"]) == 0
    said = capsys.readouterr().out
    for expected in ("sex", "coin", "hit@1", "nearest, half of it", "user ids in plain text", "identifies"):
        assert expected in said
    assert "not measured" in said
    assert "give --outsiders" in said
    assert f"90 users asked for, {CUSTOMERS} found among {CUSTOMERS} rows" in said


def test_a_machine_reads_json(audited: Audited, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A released output with its key, named attributes and outsiders: stdout and the file hold one document."""
    released = audited.rewritten(tmp_path / "released", renamed)
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "key").chmod(0o600)
    outsiders = ingest_customers(tmp_path / "outsiders", 500, 40)
    options = [*audited.options, "--key", str(tmp_path / "key"), "--labels", "coin", "--outsiders", str(outsiders.root)]
    out = tmp_path / "report.json"
    assert engine(["audit", str(released), *options, "--users", "90", "--json", "--out", str(out)]) == 0
    said, told = capsys.readouterr()
    document = json.loads(said)
    assert json.loads(out.read_text()) == document
    assert {figure["subject"] for figure in document["figures"] if figure["section"] == "attributes"} == {"coin"}
    assert any(figure["measure"] == "AUC, likelihood" for figure in document["figures"])
    assert "c00" not in said + told


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [(["--labels", "shoe"], 2, "no attribute shoe"), (["--out", "/no/such/place"], 2, "cannot be written")],
)
def test_what_cannot_be_done(
    audited: Audited, options: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown attribute and a place that is not there are wrong usage."""
    assert engine(["audit", str(audited.output.root), *audited.options, "--users", "20", *options]) == code
    assert message in capsys.readouterr().err
