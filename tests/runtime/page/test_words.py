"""The words of the page."""

from __future__ import annotations

import re
from pathlib import Path

import engine_runtime.page
from engine_runtime.page.words import LANGUAGES, WORDS, say
from engine_runtime.profile.phrases import PHRASES

PLACES = re.compile(r"{(\w+)}")
SAID = re.compile(r"""say\((?:language, )?["'](\w+)["']""")
NAMED = re.compile(r"""["'](\w+)["']""")


def test_languages_have_the_same_blanks() -> None:
    """A phrase asks for the same in every language, and the languages are those of the written profile."""
    assert set(LANGUAGES) == set(PHRASES)
    for key, wording in WORDS.items():
        blanks = [sorted(PLACES.findall(phrase)) for phrase in wording]
        assert all(found == blanks[0] for found in blanks), key


def test_blanks_are_filled_once() -> None:
    """What fills a blank is not read as a phrase again."""
    assert say("en", "user", user="{0} {user}") == "User {0} {user}"


def test_every_phrase_is_used() -> None:
    """No phrase is left behind that nothing says."""
    folder = Path(engine_runtime.page.__file__).parent
    modules = {path.name: path.read_text() for path in folder.glob("*.py") if path.name != "words.py"}
    text = "".join(modules.values())
    made = {key for key in WORDS if key.startswith(("part_", "band_", "weekday_"))}
    made |= {f"{key}_text" for key in ("correct", "forget", "take")}
    made |= {f"tile_{key}" for key in ("events", "rate", "last", "spent")}
    assert set(WORDS) - made - set(NAMED.findall(text)) == set()
    assert set(SAID.findall(text)) <= set(WORDS)
