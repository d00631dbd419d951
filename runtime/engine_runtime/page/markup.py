"""Elements of HTML and SVG. A plain string is text and is escaped; only what is made here counts as markup.

Knows syntax; knows nothing of profiles.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

EMPTY = frozenset({"br", "hr", "link", "meta"})
"""Elements of HTML in use here that hold nothing and are not closed."""


class Markup(str):
    """Markup that is ready."""

    __slots__ = ()


Part: TypeAlias = "Markup | str"
Value: TypeAlias = "str | int | float | None"


def element(tag: str, *parts: Part, **attributes: Value) -> Markup:
    """One element with what it holds.

    Parameters
    ----------
    tag
        Its name.
    *parts
        What it holds, in order; a plain string is escaped.
    **attributes
        ``class_`` stands for ``class`` and ``aria_label`` for ``aria-label``; None leaves one out. Floats, which are
        places in a drawing, keep two decimals.
    """
    given = "".join(_attribute(name, value) for name, value in attributes.items() if value is not None)
    return Markup(f"<{tag}{given}>" if tag in EMPTY else f"<{tag}{given}>{joined(parts)}</{tag}>")


def joined(parts: Iterable[Part]) -> Markup:
    """Parts one after the other, plain strings escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def _attribute(name: str, value: str | int | float) -> str:
    text = f"{value:.2f}" if isinstance(value, float) else str(value)
    return f' {name.rstrip("_").replace("_", "-")}="{escape(text)}"'
