"""How an output's row comes together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from engine_runtime.data.histories import histories_from
from engine_runtime.profile.spending import Market
from engine_runtime.search.fusion import Ranking
from engine_runtime.serve.engine import Profiles
from engine_runtime.serve.output import Names, recommendations, rows, schema

NAMES = Names(
    ["tea", "cups"], ("view",), ("sex",), pa.array(["a", "b", "c"]), Market(None, [], np.zeros(0, np.int64)), 90
)
INF = np.float32(-np.inf)


def test_a_list_ends_where_there_are_no_more_items() -> None:
    """Recommendations are names with scores, without what pads a ranking."""
    ranking = Ranking(
        np.array([[2, 0], [1, -1], [-1, -1]], np.int32), np.array([[0.5, 0.25], [1, INF], [INF, INF]], np.float32)
    )
    assert recommendations(ranking, NAMES.item_ids).to_pylist() == [
        [{"item_id": "c", "score": 0.5}, {"item_id": "a", "score": 0.25}],
        [{"item_id": "b", "score": 1.0}],
        [],
    ]


@pytest.mark.parametrize("count", [0, 2])
def test_rows_have_the_schema(count: int) -> None:
    """A table of no users and of some has the columns that a reader expects, no null where there may be none."""
    histories = histories_from([[0, 1], []][:count])
    profiles = Profiles(histories, np.ones((count, 3), np.float32), np.full((count, 2), 0.5, np.float32))
    users = pa.table({"user_id": pa.array(["u", "v"][:count]), "sex": pa.array(["f", None][:count], pa.string())})
    ranking = Ranking(np.zeros((count, 1), np.int32), np.ones((count, 1), np.float32))
    table = rows(users, histories, profiles, ranking, NAMES)
    table.validate(full=True)
    assert table.schema.equals(schema(3, 2))
    assert table["n_events"].to_pylist() == [2, 0][:count]
    if count:
        first = table.to_pylist()[0]
        assert first["query"] == [1, 1, 1]
        assert first["basics"] == [{"name": "sex", "value": "f", "probability": None}]
        assert first["as_of"].isoformat() == "1970-01-01T00:01:30+00:00"
