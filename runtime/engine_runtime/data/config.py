"""What the user says of their own files: which column is what.

Knows names of settings; knows nothing of the file that they are written in, and reads no data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from engine_runtime.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

TIME_FORMATS = ("seconds", "milliseconds", "microseconds", "iso")


class EventsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section ``[events]``: columns of the event files.

    Attributes
    ----------
    user
        Column of the user's id.
    item
        Column of the item's id; left out where `item_list` is given.
    type
        Column of the event's type.
    default_type
        Type of every event where there is no such column, and of events whose cell is empty.
    time
        Column of the moment.
    time_format
        ``seconds``, ``milliseconds`` or ``microseconds`` since 1970 in UTC, ``iso``, or a strptime format.
    order
        Column of integers that order one user's events; goes before `time` where both are given.
    unknown_order
        The value of `order` that says "place not known".
    value, quantity, price
        Columns of numbers; `price` is that of one unit.
    value_scale
        ``log`` where values span orders of magnitude.
    item_list
        Column that holds a whole history in one cell: item ids, oldest first, in place of `item`.
    separator
        Between the ids of an `item_list`.
    duplicates
        ``drop`` takes exact repeats of one event only once.
    """

    user: str
    item: str | None = None
    type: str | None = None
    default_type: str | None = None
    time: str | None = None
    time_format: str = "seconds"
    order: str | None = None
    unknown_order: int | None = None
    value: str | None = None
    value_scale: Literal["linear", "log"] = "linear"
    quantity: str | None = None
    price: str | None = None
    item_list: str | None = None
    separator: str = " "
    duplicates: Literal["keep", "drop"] = "keep"


class ItemsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section ``[items]``: columns of the item files.

    Attributes
    ----------
    id
        Column of the item's id.
    text
        Template over the columns, as ``"{title}. {brand}"``; what the encoder reads.
    title, brand, category, price
        Columns for people and for facets.
    not_ranked
        Regular expression; an item whose whole id matches is never recommended.
    missing
        What becomes of an event whose item is in no item file: ``reject`` it, or ``keep`` it and add the
        item.
    """

    id: str
    text: str
    title: str | None = None
    brand: str | None = None
    category: str | None = None
    price: str | None = None
    not_ranked: str | None = None
    missing: Literal["reject", "keep"] = "reject"


class UsersConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section ``[users]``: column of the id, and columns kept as attributes."""

    id: str
    attributes: tuple[str, ...] = ()


class IngestConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section ``[ingest]``; `buckets` is derived from the number of users where it is not given."""

    buckets: int | None = None


class FilesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section ``[files]``: files or folders, relative to the TOML; the command's options go before them.

    Attributes
    ----------
    events, items, users
        Where the rows are.
    quoted
        Whether ``"`` quotes a field in CSV and TSV files.
    """

    events: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    quoted: bool = True


class DatasetConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole ``dataset.toml``.

    Attributes
    ----------
    name
        Of the data set.
    domain
        As ``e-commerce`` or ``media``; for people.
    currency
        Of prices; for people.
    events, items, users
        Columns; a data set needs events or items.
    event_types
        Weight of each event type; a type above 0 is what a model learns to predict.
    ingest, files
        How and from where.
    """

    name: str
    domain: str = ""
    currency: str = ""
    events: EventsConfig | None = None
    event_types: dict[str, float] = {}
    items: ItemsConfig | None = None
    users: UsersConfig | None = None
    ingest: IngestConfig = IngestConfig()
    files: FilesConfig = FilesConfig()

    @property
    def types(self) -> dict[str, float]:
        """Weight of each event type, the only default type included; the order numbers them."""
        if self.event_types:
            return self.event_types
        default = self.events.default_type if self.events else None
        return {default or "event": 1.0}

    @property
    def default_type(self) -> str | None:
        """Type of events that name none; None where such an event is refused."""
        if self.events is None or self.events.default_type or self.events.type:
            return self.events.default_type if self.events else None
        return next(iter(self.types)) if len(self.types) == 1 else None


def keep_config(config: DatasetConfig, path: Path) -> None:
    """Write what a data set remembers of its configuration: all but the paths of the files."""
    path.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(config, files=FilesConfig(quoted=config.files.quoted)))
    )


def kept_config(path: Path) -> DatasetConfig:
    """Read what `keep_config` wrote; raises `ArtefactError`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=DatasetConfig)
    except FileNotFoundError as error:
        raise ArtefactError(
            f"{path} is missing: an earlier version wrote the data set. Ingest its files again."
        ) from error
    except (OSError, msgspec.DecodeError) as error:
        raise ArtefactError(f"{path} cannot be read: {error}. Ingest the data again.") from error
