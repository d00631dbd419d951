"""Hold the facets of all users of a real data set against DuckDB on its raw files.

    PYTHONPATH=tests python -m end_to_end.facets --raw ../shared/data/online-retail --config examples/online-retail.toml

Ingests the files, computes habits, spending and attributes as serving does, without a model, and prints the largest
difference of each facet. Ends with 1 where one is above the limit.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import duckdb

import raw_facets
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.config import DatasetConfig, EventsConfig, ItemsConfig, UsersConfig
from engine_runtime.data.config_file import load_config
from engine_runtime.data.ingest import ingest
from engine_runtime.data.schema import USER_ID
from engine_runtime.data.stored import read_catalogue, read_histories, read_users
from engine_runtime.profile import basics, habits, spending

LIMIT = 1e-4
KINDS = ("events", "items", "users")


def served(dataset: Dataset) -> list[dict[str, Any]]:
    """The facets of every user, by the functions that serve them."""
    users, histories = read_users(dataset), read_histories(dataset)
    market = spending.market(read_catalogue(dataset.items))
    columns = (
        users[USER_ID].to_pylist(),
        habits.habits(histories, dataset.info.event_types, dataset.info.last_time).to_pylist(),
        spending.spending(histories, market).to_pylist(),
        basics.basics(users, dataset.info.attributes).to_pylist(),
    )
    names = ("user_id", "habits", "spending", "basics")
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def views(connection: duckdb.DuckDBPyConnection, config: DatasetConfig, files: dict[str, Path]) -> None:
    """Name the raw files' columns as `raw_facets` wants them."""
    events, items, users = config.events, config.items, config.users
    if events is None or items is None or users is None or events.time_format != "seconds":
        raise click.UsageError("needs events with times in seconds or none, items and users")
    connection.execute(f"create view items as {_items(items, _table(files['items'], config))}")
    known = "" if items.missing == "keep" else " where item_id in (select item_id from items)"
    connection.execute(f"create view events as {_events(events, config, _table(files['events'], config))}{known}")
    connection.execute(f"create view users as {_users(users, _table(files['users'], config))}")


def _events(events: EventsConfig, config: DatasetConfig, table: str) -> str:
    numbers = {"time": "bigint", "quantity": "double", "price": "double"}
    columns = [
        _id(events.user, "user_id"),
        _id(events.item, "item_id"),
        _id(events.type, "type") if events.type else f"'{config.default_type}' as type",
        *(_column(getattr(events, name), name, wanted) for name, wanted in numbers.items()),
    ]
    return f"select {', '.join(columns)} from {table}"


def _items(items: ItemsConfig, table: str) -> str:
    brand, price = _column(items.brand, "brand", "varchar"), _column(items.price, "price", "double")
    return f"select {_id(items.id, 'item_id')}, {brand}, {price} from {table}"


def _users(users: UsersConfig, table: str) -> str:
    attributes = [_column(name, name, "varchar") for name in users.attributes]
    return f"select {', '.join([_id(users.id, 'user_id'), *attributes])} from {table}"


def _id(column: str | None, name: str) -> str:
    return f'cast("{column}" as varchar) as {name}'


def _column(column: str | None, name: str, wanted: str) -> str:
    """A column as `wanted`, an empty cell as null; null where there is no such column."""
    if column is None:
        return f"cast(null as {wanted}) as {name}"
    return f"try_cast(nullif(cast(\"{column}\" as varchar), '') as {wanted}) as {name}"


def _table(path: Path, config: DatasetConfig) -> str:
    if path.suffix == ".parquet":
        return f"read_parquet('{path}')"
    if ".json" in path.name:
        return f"read_json_auto('{path}')"
    delimiter, quote = ("\t" if ".tsv" in path.name else ","), ('"' if config.files.quoted else "")
    return f"read_csv('{path}', delim = '{delimiter}', header = true, quote = '{quote}', all_varchar = true)"


def _files(folder: Path) -> dict[str, Path]:
    return {kind: next(path for path in sorted(folder.iterdir()) if path.name.startswith(f"{kind}.")) for kind in KINDS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True, help="folder with files named events, items and users")
    parser.add_argument("--config", type=Path, required=True)
    options = parser.parse_args(arguments)
    config, files = load_config(options.config), _files(options.raw)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        events, items, users = ([files[kind]] for kind in KINDS)
        dataset = ingest(config, events, items, users, Path(folder) / "dataset")
        views(connection, config, files)
        rows = served(dataset)
        found = raw_facets.differences(rows, raw_facets.facets(connection))
    info = dataset.info
    click.echo(f"{info.name}: {len(rows):,} users, {info.n_events:,} events, {info.n_rejects:,} rows refused")
    for name, difference in found.items():
        click.echo(f"  {name:16} {difference:.1e}")
    return int(max(found.values()) > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
