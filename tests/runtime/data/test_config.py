"""The settings: what they derive."""

from __future__ import annotations

import pytest

from engine_runtime.data.config_file import parse_config

ITEMS = '[items]\nid = "i"\ntext = "{t}"\n'
EVENTS = '[events]\nuser = "u"\nitem = "i"\ntime = "t"\n'


@pytest.mark.parametrize(
    ("text", "types", "default"),
    [
        ("", {"event": 1.0}, "event"),
        ('default_type = "view"\n', {"view": 1.0}, "view"),
        ("[event_types]\nclick = 2.0\n", {"click": 2.0}, "click"),
        ('type = "k"\n[event_types]\nbuy = 1.0\nback = -1.0\n', {"buy": 1.0, "back": -1.0}, None),
        ('type = "k"\ndefault_type = "buy"\n[event_types]\nbuy = 1.0\n', {"buy": 1.0}, "buy"),
    ],
)
def test_types(text: str, types: dict[str, float], default: str | None) -> None:
    """Event types keep their order; a single one is the default where there is no column of types."""
    config = parse_config('name = "n"\n' + EVENTS + text, "dataset.toml")
    assert list(config.types.items()) == list(types.items())
    assert config.default_type == default


def test_items_alone_have_a_default_type_of_none() -> None:
    """A data set of items alone names no default type."""
    assert parse_config('name = "n"\n' + ITEMS, "dataset.toml").default_type is None
