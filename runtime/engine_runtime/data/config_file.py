"""A ``dataset.toml``: parsed, checked, and nothing more.

Knows the rules of settings; reads no data. An unknown key is an error, so that a misspelt one is never ignored.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import msgspec

from engine_runtime.data.config import TIME_FORMATS, DatasetConfig
from engine_runtime.data.template import template_fields
from engine_runtime.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from engine_runtime.data.config import EventsConfig, ItemsConfig, UsersConfig

MAX_TYPES = 127


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
