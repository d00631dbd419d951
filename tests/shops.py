"""A small shop to ingest, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from engine_runtime.data.config_file import parse_config
from engine_runtime.data.ingest import ingest

if TYPE_CHECKING:
    from engine_runtime.artefacts.dataset import Dataset

EVENTS = '[events]\nuser = "user"\nitem = "item"\ntime = "time"\n'
ITEMS = '[items]\nid = "id"\ntext = "{title}"\ntitle = "title"\n'


@dataclass
class Shop:
    """A folder with files of a shop, and a way to ingest them."""

    root: Path

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file into the folder."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def ingest(
        self,
        events: str | bytes | Path | None,
        items: str | bytes | Path = "id,title\na,Apple\nb,Bread\nc,Cheese\n",
        users: str | bytes | Path | None = None,
        config: str = EVENTS + ITEMS,
        **options: Any,
    ) -> Dataset:
        """Ingest contents (as CSV) or paths."""
        return ingest(
            parse_config('name = "shop"\n' + config, "shop.toml"),
            self._paths("events.csv", events),
            self._paths("items.csv", items),
            self._paths("users.csv", users),
            options.pop("out", self.root / "dataset"),
            replace=True,
            **options,
        )

    def _paths(self, name: str, content: str | bytes | Path | None) -> list[Path]:
        if content is None:
            return []
        return [content if isinstance(content, Path) else self.write(name, content)]


def rejects(dataset: Dataset) -> list[tuple[str, int, str]]:
    """Rows refused, as file, line and reason."""
    return [(row["file"], row["line"], row["reason"]) for row in pq.read_table(dataset.rejects).to_pylist()]


def events(dataset: Dataset) -> list[dict[str, Any]]:
    """All events, with the callers' own ids."""
    users = pq.read_table(dataset.users)["user_id"].to_pylist()
    items = pq.read_table(dataset.items)["item_id"].to_pylist()
    rows: list[dict[str, Any]] = []
    for bucket in range(dataset.info.n_buckets):
        rows += pq.read_table(dataset.bucket(bucket)).to_pylist()
    return [{**row, "user": users[row["user"]], "item": items[row["item"]]} for row in rows]
