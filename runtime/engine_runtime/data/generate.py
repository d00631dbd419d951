"""A shop that does not exist, at any size, as files: events, items and a ``dataset.toml``, from a seed alone.

For measuring ingest, indexing and serving where no real log of that size may be had. Knows files; the model is that of
`engine_runtime.data.world`. What is held in memory is one block of events and a few numbers for each user and item.
One seed gives the same bytes on one machine with the same versions of NumPy and pyarrow. A file holds the events of a
block of users in order of time, as a log does.
"""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from engine_runtime.data.world import World
from engine_runtime.data.world_events import blocks_of_users, event_table, history_lengths
from engine_runtime.data.world_items import Catalogue
from engine_runtime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG_FILE = "dataset.toml"
ITEMS_FILE = "items.parquet"
EVENTS_FOLDER = "events"
BLOCK_ITEMS = 65_536


def generate(
    world: World, out: Path, *, replace: bool = False, advance: Callable[[int], None] = lambda events: None
) -> Path:
    """Write a made-up shop.

    Parameters
    ----------
    world
        How much of what.
    out
        Folder for ``events/``, ``items.parquet`` and the ``dataset.toml`` that describes them, which is written last.
    replace
        Whether files that are in `out` already may be replaced.
    advance
        Called with the number of events written, after each block.

    Returns
    -------
    Path
        The ``dataset.toml``, ready for ``engine data ingest --config``.

    Raises
    ------
    UsageError
        `out` holds such files already.
    """
    present = [name for name in (EVENTS_FOLDER, ITEMS_FILE, CONFIG_FILE) if (out / name).exists()]
    if present and not replace:
        raise UsageError(f"{out / present[0]} exists already. Name another folder, or add --force to replace it.")
    (out / CONFIG_FILE).unlink(missing_ok=True)
    if EVENTS_FOLDER in present:
        shutil.rmtree(out / EVENTS_FOLDER)
    (out / EVENTS_FOLDER).mkdir(parents=True)
    catalogue = Catalogue(world)
    with pq.ParquetWriter(out / ITEMS_FILE, catalogue.rows(0, 0).schema, compression="zstd") as writer:
        for start in range(0, world.n_items, BLOCK_ITEMS):
            writer.write_table(catalogue.rows(start, min(start + BLOCK_ITEMS, world.n_items)))
    for number, (first, lengths) in enumerate(blocks_of_users(history_lengths(world))):
        table = event_table(world, catalogue, number, first, lengths)
        path = out / EVENTS_FOLDER / f"part-{number:05d}.parquet"
        pq.write_table(table, path, compression="zstd", compression_level=1)
        advance(len(table))
    content = (resources.files("engine_runtime.data") / "generated.toml").read_text(encoding="utf-8")
    (out / CONFIG_FILE).write_text(content, encoding="utf-8")
    return out / CONFIG_FILE
