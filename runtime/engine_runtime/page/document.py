"""The page: one HTML file that holds all it needs, of one user or of some with an index.

Knows the document around the users; knows nothing of where it goes. The page names the digest of its style sheet,
which is a file beside this one, and forbids everything else: scripts and requests among it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from engine_runtime.page.article import article, counted
from engine_runtime.page.markup import Markup, Part, element
from engine_runtime.page.person import Person, View
from engine_runtime.page.words import say

FEW = 3
HTML_LANGUAGES = {"en": "en", "zh": "zh-Hans"}


def page(people: Sequence[Person], language: str = "en") -> str:
    """The page as HTML.

    Parameters
    ----------
    people
        At least one; with more there is an index, and one of them is seen at a time.
    language
        One of `engine_runtime.page.words.LANGUAGES`.
    """
    if len(people) == 1:
        title = say(language, "title")
        content = element("main", article(people[0], View(language), title), id="profile")
    else:
        title = say(language, "title_many", count=f"{len(people):,}")
        content = _many(people, title, language)
    foot = element("footer", element("p", say(language, "made")))
    skip = element("a", say(language, "skip"), href="#profile", class_="skip")
    body = element("body", skip, content, foot)
    document = element("html", _head(title), body, lang=HTML_LANGUAGES[language])
    return f"<!doctype html>\n{document}\n"


def _head(title: str) -> Markup:
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("link", rel="icon", href="data:,"),  # else a browser asks for one
        element("title", title),
        element("style", Markup(style)),
    )


def _many(people: Sequence[Person], title: str, language: str) -> Markup:
    """An index of users, and each of them under an anchor that the index names."""
    views = [View(language, f"user-{number}", 2, all_events=False) for number in range(1, len(people) + 1)]
    rows = [
        element("li", element("a", *_summary(person, view), href=f"#{view.anchor}"))
        for person, view in zip(people, views, strict=True)
    ]
    names = element("nav", element("ol", *rows, class_="people"), aria_label=say(language, "users"))
    lead = element("p", say(language, "many_lead"), class_="lead")
    index = element("div", lead, names, class_="index")
    shown = [
        element(
            "article",
            _moves(place, views),
            article(person, view, say(language, "title_of", user=person.user_id)),
            id=view.anchor,
            aria_labelledby=f"{view.anchor}-name",
        )
        for place, (person, view) in enumerate(zip(people, views, strict=True))
    ]
    return element("main", element("h1", title, id="profile"), index, *shown)


def _summary(person: Person, view: View) -> list[Part]:
    """A line of the index: who, how much is known, and the first interests."""
    strongest = [interest.name for interest in person.explanation.interests[:FEW]]
    liked = element("span", " · ".join([counted(person, view), *strongest]), class_="soft")
    return [element("span", person.user_id, class_="name"), " ", liked]


def _moves(place: int, views: Sequence[View]) -> Markup:
    """Links from one user to the index and to the users beside them."""
    view = views[place]
    links = [element("li", element("a", f"↑ {view.say('all_users')}", href="#profile"))]
    if place:
        links.append(element("li", element("a", f"← {view.say('previous')}", href=f"#{views[place - 1].anchor}")))
    if place + 1 < len(views):
        links.append(element("li", element("a", f"{view.say('next')} →", href=f"#{views[place + 1].anchor}")))
    return element("nav", element("ul", *links), aria_label=view.say("move"), class_="moves")
