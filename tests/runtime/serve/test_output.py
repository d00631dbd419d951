"""How an output's row comes together."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import raw_facets
from engine_runtime.data.histories import histories_from
from engine_runtime.data.stored import read_histories, read_users
from engine_runtime.profile.spending import Market
from engine_runtime.search.fusion import Ranking
from engine_runtime.serve.bucket import adapt, serve_users
from engine_runtime.serve.engine import Engine, Profiles
from engine_runtime.serve.output import Names, recommendations, rows, schema
from engine_runtime.serve.stages import Stages
from tiny import World

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


EVENTS = """create view events as select "user" as user_id, item as item_id, type, time, quantity::double as quantity,
    price::double as price from read_csv('{0}/events.csv')"""
ITEMS = "create view items as select id as item_id, brand, price from read_csv('{0}/items.csv')"
USERS = "create view users as select \"user\" as user_id, sex, age from read_csv('{0}/users.csv', all_varchar = true)"


def test_facets_of_served_rows_are_those_of_the_raw_files(world: World, engine: Engine) -> None:
    """Habits, spending and attributes of every user are what a query counts in the files that were ingested."""
    users, histories = read_users(world.dataset), read_histories(world.dataset)
    served = serve_users(adapt(engine, world.dataset), users, histories, 3, Stages()).to_pylist()
    with duckdb.connect() as connection:
        for view in (EVENTS, ITEMS, USERS):
            connection.execute(view.format(world.root / "shop"))
        wanted = raw_facets.facets(connection)
    found = raw_facets.differences(served, wanted)
    facets = {"hours", "weekdays", "types", "days_since_last", "events_per_week", "total", "quantity", "mean_price"}
    assert set(found) == facets | {"price_bands", "brands", "basics"}
    assert max(found.values()) < 1e-5, found
    assert {row["user_id"] for row in served} == set(wanted)


def test_a_wrong_facet_is_noticed(world: World, engine: Engine) -> None:
    """A share that is a hundredth off, and a facet that one side lacks, are differences."""
    users, histories = read_users(world.dataset), read_histories(world.dataset)
    served = serve_users(adapt(engine, world.dataset), users, histories, 3, Stages()).to_pylist()
    row = next(row for row in served if row["user_id"] == "u08")
    right = raw_facets.told(row)
    assert max(raw_facets.differences([row], {row["user_id"]: right}).values()) == 0
    wrong = right | {"types": {name: share + 0.01 for name, share in right["types"].items()}}
    assert raw_facets.differences([row], {row["user_id"]: wrong})["types"] == pytest.approx(0.01)
    assert raw_facets.differences([row], {})["types"] == float("inf")
