"""Markup in which no text can be mistaken for a tag: plain strings are escaped, and only what is made here is not.

Knows the syntax of HTML and SVG; knows nothing of what is said with it.
"""

from __future__ import annotations

from html import escape
from typing import TypeAlias

VOID = frozenset({"meta", "link", "input", "br"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child: TypeAlias = "Markup | str"


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """One element.

    Parameters
    ----------
    name
        Of the element.
    *children
        What it holds; a `str` is escaped, `Markup` is taken as it is.
    **attributes
        By name, with ``_`` for ``-`` and an ``_`` at the end of a name that Python keeps for itself. True gives an
        attribute without a value; None and False leave it out; a float is written with two decimals at most.
    """
    opening = "".join(f" {_name(key)}{_value(value)}" for key, value in attributes.items() if _given(value))
    if name in VOID:
        return Markup(f"<{name}{opening}>")
    return Markup(f"<{name}{opening}>{join(children)}</{name}>")


def join(children: tuple[Child, ...] | list[Child] | list[Markup]) -> Markup:
    """Elements and texts one after the other."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children))


def _given(value: str | float | bool | None) -> bool:
    return value is not None and value is not False


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: str | float | bool | None) -> str:
    if value is True:
        return ""
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f'="{escape(text)}"'
