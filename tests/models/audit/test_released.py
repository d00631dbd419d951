"""Reading profiles, whole ones and released ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from audited import CUSTOMERS, Audited, renamed
from engine_models.audit.released import Release, vectors_of
from engine_runtime.errors import ArtefactError


def test_vectors_are_taken_by_row(audited: Audited) -> None:
    """A row that is asked for is the row that a pass over all blocks finds, in whatever part it is."""
    release = Release.open(audited.output.root)
    assert len(release) == CUSTOMERS
    whole = np.concatenate([block["query"] for block in release.vectors(["query"])])
    rows = np.array([CUSTOMERS - 1, 0, 70, 3])
    assert np.array_equal(release.take(["query", "concepts"], rows)["query"], whole[rows])


def test_missing_vectors_are_not_numbers(audited: Audited, tmp_path: Path) -> None:
    """A null is a row without numbers, and a column of nulls is none."""

    def emptied(table: pa.Table) -> pa.Table:
        kept = [value if row else None for row, value in enumerate(table["query"].to_pylist())]
        column = table.schema.get_field_index("query")
        table = table.set_column(column, "query", pa.array(kept, table.schema.field("query").type))
        nothing = pa.nulls(len(table), table.schema.field("concepts").type)
        return table.set_column(table.schema.get_field_index("concepts"), "concepts", nothing)

    release = Release.open(audited.rewritten(tmp_path / "emptied", emptied))
    found = release.take(["query", "concepts"], np.array([0, 1]))
    assert set(found) == {"query"}
    assert np.isnan(found["query"][0]).all()
    assert np.isfinite(found["query"][1]).all()


@pytest.mark.parametrize("column", [pa.array(["x", "y"]), pa.array([[1.0], [1.0, 2.0]])])
def test_other_columns_are_refused(column: pa.Array, tmp_path: Path) -> None:
    """What is no vector is named as such."""
    with pytest.raises(ArtefactError, match="cannot be read"):
        vectors_of(column, tmp_path)


def test_other_artefacts_are_refused(audited: Audited, tmp_path: Path) -> None:
    """A data set holds no profiles, and neither do rows without names."""
    with pytest.raises(ArtefactError, match="holds the artefact 'dataset', which has no profiles"):
        Release.open(audited.dataset.root)
    nameless = audited.rewritten(tmp_path / "nameless", lambda table: table.drop_columns(["user_id"]))
    with pytest.raises(ArtefactError, match="no column user_id"):
        Release.open(nameless)


def test_a_damaged_output_is_refused(audited: Audited, tmp_path: Path) -> None:
    """Files are held against the manifest."""
    root = audited.rewritten(tmp_path / "damaged", renamed)
    part = next((root / "users").iterdir())
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(ArtefactError, match="is damaged"):
        Release.open(root)
