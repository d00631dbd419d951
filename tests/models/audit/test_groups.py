"""What can be read of an output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from audited import CUSTOMERS, Audited, noised, renamed
from engine_models.audit.groups import count_concepts, count_groups, count_ids
from engine_models.audit.released import Release
from engine_runtime.data.histories import histories_from
from engine_runtime.data.stored import read_users


def test_plain_ids_identify(audited: Audited, tmp_path: Path) -> None:
    """Every id of the data set is counted, and no pseudonym is."""
    ids = read_users(audited.dataset)["user_id"]
    plain = count_ids(Release.open(audited.output.root), ids)
    assert (plain.value, plain.verdict) == (CUSTOMERS, "identifies")
    hidden = count_ids(Release.open(audited.rewritten(tmp_path / "renamed", renamed)), ids)
    assert (hidden.value, hidden.verdict) == (0, "none found")


def test_attributes_and_numbers_that_can_be_read(audited: Audited) -> None:
    """Given attributes are counted; sums and days to the last digit tell rows apart."""
    found = {figure.subject: figure for figure in count_groups(Release.open(audited.output.root))}
    assert found["sex in plain text"].value == found["coin in plain text"].value == CUSTOMERS
    assert found["attributes together, fewer than 5 users"].verdict == "none found"
    numbers = found["plain numbers, fewer than 5 users"]
    assert numbers.verdict == "identifies"
    assert numbers.column == "n_events + habits + spending"


def test_a_rare_combination_is_a_small_group(audited: Audited, tmp_path: Path) -> None:
    """Three rows whose attributes nobody else has are three rows in a small group, and a single one identifies."""

    def marked(table: pa.Table) -> pa.Table:
        users = table["user_id"].to_pylist()
        place = table.schema.get_field_index("basics")
        rows = [[{"name": "sex", "value": "x" if user < "c003" else "f", "probability": None}] for user in users]
        return table.set_column(place, "basics", pa.array(rows, table.schema.field("basics").type))

    found = {figure.subject: figure for figure in count_groups(Release.open(audited.rewritten(tmp_path / "m", marked)))}
    small = found["attributes together, fewer than 5 users"]
    assert (small.value, small.verdict) == (3, "leaks")
    assert small.note.startswith("0 rows")


def test_what_is_not_there_is_not_counted(audited: Audited, tmp_path: Path) -> None:
    """Of a release of vectors alone nothing can be read."""
    release = Release.open(audited.rewritten(tmp_path / "noised", noised))
    assert {figure.verdict for figure in count_groups(release)} == {"not measured"}


def test_concepts_that_few_have_met() -> None:
    """A concept is small by the users of its items; one that nobody has met is not counted."""
    profiles = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    histories = histories_from([[0, 1, 9], [0], [1], [0], [1], [2, 2]])
    figure = count_concepts(profiles, histories)
    assert (figure.value, figure.n, figure.verdict) == (1, 3, "leaks")
