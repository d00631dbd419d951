"""Texts of items."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_runtime.data.template import category_text, cell_text, fill, template_fields


@pytest.mark.parametrize(
    ("template", "cells", "text"),
    [
        ("{a}. {b}. {c}", {"a": "A", "b": "B", "c": "C"}, "A. B. C"),
        ("{a}. {b}. {c}", {"a": "A", "b": "", "c": "C"}, "A. C"),
        ("{a}. {b}. {c}", {"a": "", "b": "", "c": "C"}, "C"),
        ("{a}. {b}. {c}", {"a": "A", "b": "", "c": ""}, "A"),
        ("{a}. {b}. {c}", {"a": "", "b": "", "c": ""}, ""),
        ("{a} ({b}). {c}", {"a": "A", "b": "", "c": "C"}, "A. C"),
        ("{a} ({b}). {c}", {"a": "A", "b": "B", "c": "C"}, "A (B). C"),
        ("{a} by {b}.", {"a": "A", "b": ""}, "A"),
        ("{a} by {b}.", {"a": "A", "b": "B"}, "A by B."),
        ("{a}. {b}", {"a": "What?", "b": "B"}, "What? B"),
        ("{a}。{b}", {"a": "霸王别姬", "b": "剧情"}, "霸王别姬。剧情"),
        ("Brand: {a}. Title: {b}", {"a": "", "b": "B"}, "Title: B"),
    ],
)
def test_fill(template: str, cells: dict[str, str], text: str) -> None:
    """An empty field takes its punctuation along, and a full stop is not doubled."""
    assert fill(template, cells) == text


@given(st.lists(st.sampled_from(["", "x", "y z"]), min_size=3, max_size=3))
def test_fill_leaves_no_empty_sentence(values: list[str]) -> None:
    """Whatever is empty, no separator stands alone, first or last."""
    text = fill("{a}. {b} ({c})", dict(zip("abc", values, strict=True)))
    assert ". ." not in text
    assert "()" not in text
    assert not text.startswith((".", " "))
    assert not text.endswith((".", " ", "("))


@pytest.mark.parametrize(
    ("cell", "text", "category"),
    [
        (None, "", ""),
        (True, "true", "true"),
        (False, "false", "false"),
        (1995, "1995", "1995"),
        ("  x\x00 ", "x\ufffd", "x\ufffd"),
        (["a", "", None, "b"], "a, b", "a, b"),
        ([["a", "b"], ["c"]], "a > b, c", "a > b"),
        ([[], ["c"]], "c", "c"),
        ([[]], "", ""),
        ({"k": "v", "n": 1}, "v, 1", "v, 1"),
    ],
)
def test_cells(cell: Any, text: str, category: str) -> None:
    """Lists are joined, a list of paths gives its first path as the category."""
    assert cell_text(cell) == text
    assert category_text(cell) == category


def test_fields_are_named_once_in_order() -> None:
    """A template names each of its columns once, in order."""
    assert template_fields("{b} {a} {b}") == ("b", "a")
