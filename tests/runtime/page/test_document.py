"""The page as a whole."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise

from profile_reading import HEADINGS, Node, read
from sample_people import HOSTILE, HOSTILE_ID

ELEMENTS = {"script", "img", "iframe", "object", "form", "b", "i"}


def sound(html: str) -> Node:
    """Read a page and check what holds of every page."""
    found = read(html)
    assert ELEMENTS.isdisjoint(node.tag for node in found.all())
    assert not [name for node in found.all() for name in node.attributes if name.startswith("on") or name == "style"]
    ids = [node.attributes["id"] for node in found.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    links = [node.attributes["href"] for node in found.all("a")]
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert all(link.startswith("#") for link in links)
    named = " ".join(node.attributes.get("aria-labelledby", "") for node in found.all()).split()
    assert set(named) <= set(ids)
    levels = [HEADINGS.index(node.tag) for node in found.all(*HEADINGS)]
    assert levels[0] == 0
    assert levels.count(0) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    return found


def test_page_of_one_is_sound(one: str, language: str) -> None:
    """Names that look like markup are text, links lead somewhere, headings are in order, the language is named."""
    found = sound(one)
    assert HOSTILE in found.text
    assert "<script" not in one
    assert found.all("html")[0].attributes["lang"].startswith(language)


def test_page_of_many_has_an_index(many: str) -> None:
    """The index leads to every person by a name of the page's own, and ids are shown as they were given."""
    found = sound(many)
    links = found.all("ol", kind="people")[0].all("a")
    assert [link.attributes["href"] for link in links] == ["#user-1", "#user-2", "#user-3"]
    assert links[1].all("span", kind="name")[0].text == HOSTILE_ID
    assert [node.attributes["id"] for node in found.all("article")] == ["user-1", "user-2", "user-3"]
    moves = [[link.attributes["href"] for link in nav.all("a")] for nav in found.all("nav", kind="moves")]
    assert moves == [["#profile", "#user-2"], ["#profile", "#user-1", "#user-3"], ["#profile", "#user-2"]]


def test_policy_allows_the_style_alone(one: str) -> None:
    """The page forbids all but the style sheet whose digest it names, and names no other place."""
    (style,) = re.findall(r"<style>(.*?)</style>", one, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = read(one).all("meta")[1].attributes["content"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "http" not in one.replace("http-equiv", "")
    assert "url(" not in style
    assert "@import" not in style


def test_sections_of_nothing_are_left_out(many: str) -> None:
    """A person of whom nothing is known has interests, recommendations, rights and the small print alone."""
    first, second, _ = read(many).all("article")
    kinds = [section.attributes["class"].split()[1] for section in second.all("section")]
    assert kinds == ["interests", "recommended", "rights", "small"]
    assert len(first.all("section")) == 7
