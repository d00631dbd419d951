"""A profile page read back as a machine reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

EMPTY = frozenset({"br", "hr", "link", "meta"})
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


@dataclass
class Node:
    """An element: its name, attributes, what it holds, and its text."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def all(self, *tags: str, kind: str | None = None) -> list[Node]:
        """Elements within by name and class, in the page's order."""
        found = []
        for child in self.children:
            fits = not tags or child.tag in tags
            if fits and (kind is None or kind in child.attributes.get("class", "").split()):
                found.append(child)
            found += child.all(*tags, kind=kind)
        return found

    @property
    def numbers(self) -> list[float]:
        """What stands behind the numbers that are shown."""
        return [float(shown.attributes["value"]) for shown in self.all("data")]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in EMPTY:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"{tag} is closed and was not open"

    def handle_data(self, data: str) -> None:
        for node in self.open:
            node.text += data


def read(html: str) -> Node:
    """The whole page; every element must be closed in its turn."""
    reader = _Reader()
    reader.feed(html)
    assert len(reader.open) == 1, f"{reader.open[-1].tag} is not closed"
    return reader.open[0]


def section(page: Node, key: str) -> Node:
    """The section of a key, of the first user on the page."""
    return page.all("section", kind=key)[0]
