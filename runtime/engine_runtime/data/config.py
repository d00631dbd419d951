"""What the user says of their own files: which column is what. Parsed from TOML, checked, and nothing more.

Knows names and rules of settings; reads no data. An unknown key is an error, so that a misspelt one is never
ignored.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal

import msgspec

from engine_runtime.data.template import template_fields
from engine_runtime.errors import ArtefactError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

TIME_FORMATS = ("seconds", "milliseconds", "microseconds", "iso")
MAX_TYPES = 127


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


def load_config(path: Path) -> DatasetConfig:
    """Read a ``dataset.toml``.

    Raises
    ------
    UsageError
        The file cannot be read, has an unknown key, or contradicts itself.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the configuration {path} cannot be read: {error}. Name a TOML file in UTF-8.") from error
    return parse_config(text, str(path))


def parse_config(text: str, where: str) -> DatasetConfig:
    """Parse and check the text of a ``dataset.toml``; `where` names it in errors, which are `UsageError`."""
    try:
        config = msgspec.toml.decode(text, type=DatasetConfig)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise UsageError(f"{where}: {error}. See docs/data.md for the keys.") from error
    problem = _problem(config)
    if problem:
        raise UsageError(f"{where}: {problem}")
    return config


def _problem(config: DatasetConfig) -> str | None:
    """Say what contradicts itself in `config`, or None."""
    if config.events is None and config.items is None:
        return "neither [events] nor [items] is given. Describe at least one of them."
    buckets = config.ingest.buckets
    if buckets is not None and not 1 <= buckets <= 9999:
        return f"[ingest] buckets is {buckets}. Give a number from 1 to 9999, or leave it out."
    problems = (
        _types_problem(config),
        _events_problem(config.events),
        _items_problem(config.items),
        _users_problem(config.users),
    )
    return next((problem for problem in problems if problem), None)


def _events_problem(events: EventsConfig | None) -> str | None:
    if events is None:
        return None
    if (events.item is None) == (events.item_list is None):
        return "[events] needs exactly one of 'item' and 'item_list'."
    if events.item_list and (events.time or events.order):
        return "[events] has 'item_list', whose order is that of the list: leave 'time' and 'order' out."
    if not (events.time or events.order or events.item_list):
        return "[events] needs 'time', 'order' or 'item_list': a history has an order."
    if events.unknown_order is not None and not events.order:
        return "[events] has 'unknown_order' without 'order'."
    if events.time_format not in TIME_FORMATS and "%" not in events.time_format:
        known = ", ".join(TIME_FORMATS)
        return f"[events] time_format is '{events.time_format}'. Give {known} or a strptime format."
    if not events.separator:
        return "[events] separator is empty."
    return None


def _types_problem(config: DatasetConfig) -> str | None:
    if config.events is None:
        return None
    if config.events.type and not config.event_types:
        return "[events] has a column 'type', but no section [event_types] gives each type a weight."
    if len(config.types) > MAX_TYPES:
        return f"[event_types] has {len(config.types)} types; at most {MAX_TYPES} are possible."
    for name, weight in config.types.items():
        if not name.strip() or name != name.strip() or not math.isfinite(weight):
            return f"[event_types] '{name}' = {weight}: give a name without outer spaces and a finite weight."
    default = config.events.default_type
    if default and default not in config.types:
        return f"[events] default_type '{default}' is not in [event_types] ({', '.join(config.types)})."
    if not config.events.type and config.default_type is None:
        return "[event_types] has several types, but [events] has neither a column 'type' nor a 'default_type'."
    return None


def _items_problem(items: ItemsConfig | None) -> str | None:
    if items is None:
        return None
    try:
        template_fields(items.text)
    except ValueError as error:
        return f"[items] text is no template: {error}. Write columns in braces, as in '{{title}}. {{brand}}'."
    try:
        re.compile(items.not_ranked or "")
    except re.error as error:
        return f"[items] not_ranked is no regular expression: {error}."
    return None


def _users_problem(users: UsersConfig | None) -> str | None:
    names = users.attributes if users else ()
    if len(set(names)) < len(names) or {"user_id", "n_events"} & set(names):
        return "[users] attributes repeat a name, or name user_id or n_events, which the data set has already."
    return None
