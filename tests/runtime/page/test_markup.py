"""Elements and what is escaped in them."""

from __future__ import annotations

from engine_runtime.page.markup import Markup, element, joined


def test_text_is_never_markup() -> None:
    """A plain string is escaped, in content and in attributes; what was made here is not."""
    inner = element("b", '<i>"&', title='"><script>')
    assert element("p", "a<b ", inner) == ('<p>a&lt;b <b title="&quot;&gt;&lt;script&gt;">&lt;i&gt;&quot;&amp;</b></p>')
    assert joined(["<", Markup("<br>")]) == "&lt;<br>"


def test_attributes() -> None:
    """Names that Python keeps, hyphens, numbers, and those that are left out."""
    assert element("meta", class_="a", aria_label="b", x=1.256, y=3, z=None) == (
        '<meta class="a" aria-label="b" x="1.26" y="3">'
    )
