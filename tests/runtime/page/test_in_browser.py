"""The profile page in a headless Chromium, from the width of a phone to that of a desk, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import chromium, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")

WIDTHS = (360, 1280)
PAPER = {"light": "rgb(250, 249, 246)", "dark": "rgb(20, 23, 27)"}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN = "document.querySelectorAll('details').forEach(one => one.open = true)"
AA = 4.5

CONTRASTS = """
(() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = colour => parts(colour).slice(0, 3).map(one => one / 255)
    .map(one => one <= .03928 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4)
    .reduce((sum, one, place) => sum + one * [.2126, .7152, .0722][place], 0);
  const behind = node => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
  };
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + .05) / (low + .05);
  };
  const texts = [...document.querySelectorAll('body *')].filter(node => !node.closest('svg') && node.offsetParent
    && [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()));
  const inside = [...document.querySelectorAll('.stack .part')].map(part =>
    [getComputedStyle(part).fill, getComputedStyle(document.querySelector('.stack .inside')).fill]);
  return texts.map(node => [getComputedStyle(node).color, behind(node)]).concat(inside)
    .map(([one, other]) => [ratio(one, other), one, other]).sort((a, b) => a[0] - b[0])[0];
})()
"""
"""The least contrast of a text on the page with what is behind it, by the formula of WCAG 2.2, and the two colours."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def addresses(one: str, many: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder, made = tmp_path_factory.mktemp("pages"), {}
    for name, html in (("one", one), ("many", many)):
        path: Path = folder / f"{name}.html"
        path.write_text(html, encoding="utf-8")
        made[name] = path.as_uri()
    return made


def focused(tab: Any) -> str:
    """What the focused element is: its address, or its name."""
    return str(tab.evaluate("document.activeElement.getAttribute('href') ?? document.activeElement.tagName"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", PAPER)
def test_page_is_quiet_fits_and_can_be_read(browser: Any, addresses: dict[str, str], width: int, scheme: str) -> None:
    """It has the scheme's colours and enough contrast, says nothing, requests itself alone, and fits the window."""
    said: list[str] = []
    asked: list[str] = []
    tab = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("dialog", lambda dialog: said.append(dialog.message))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(addresses["one"])
    tab.evaluate(OPEN)
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == PAPER[scheme]
    assert tab.evaluate(OVERFLOW) == 0
    least, *colours = tab.evaluate(CONTRASTS)
    assert least >= AA, colours
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [addresses["one"]]
    tab.close()


def test_interest_is_opened_by_keyboard(browser: Any, addresses: dict[str, str]) -> None:
    """The tabulator reaches an interest, shows where the focus is, and Enter unfolds its events."""
    tab = browser.new_page(viewport={"width": 360, "height": 844})
    tab.goto(addresses["one"])
    for _ in range(30):
        tab.keyboard.press("Tab")
        if focused(tab) == "SUMMARY":
            break
    look = "getComputedStyle(document.activeElement)"
    assert tab.evaluate(f"{look}.outlineStyle + ' ' + {look}.outlineWidth") == "solid 3px"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.parentElement.open")
    tab.close()


def test_one_person_of_many_is_seen_at_a_time(browser: Any, addresses: dict[str, str]) -> None:
    """The index stands alone until a person is chosen by keyboard; from there it goes on, and back."""
    tab = browser.new_page(viewport={"width": 1280, "height": 844})
    tab.goto(addresses["many"])
    seen = "[...document.querySelectorAll('.index, article')].map(one => one.offsetParent !== null)"
    assert tab.evaluate(seen) == [True, False, False, False]
    for _ in range(10):
        tab.keyboard.press("Tab")
        if focused(tab) == "#user-2":
            break
    tab.keyboard.press("Enter")
    assert tab.evaluate(seen) == [False, False, True, False]
    tab.keyboard.press("Tab")
    assert focused(tab) == "#profile"
    tab.keyboard.press("Enter")
    assert tab.evaluate(seen) == [True, False, False, False]
    tab.goto(f"{addresses['many']}#user-1-interests")
    assert tab.evaluate(seen) == [False, True, False, False]
    tab.close()
