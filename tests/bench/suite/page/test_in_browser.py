"""The page in a headless Chromium, at the width of a phone and of a desk, in both colour schemes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import chromium, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")

WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")
PAPER = {"light": "rgb(250, 249, 246)", "dark": "rgb(20, 23, 27)"}
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
RING = "(() => { const look = getComputedStyle(%s); return look.outlineStyle + ' ' + look.outlineWidth; })()"
MOST_TABS = 60


@pytest.fixture(scope="module")
def address(html: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def tab(browser: Any, address: str) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light", accept_downloads=True)
    opened.goto(address)
    yield opened
    opened.close()


def reach(tab: Any, condition: str) -> None:
    """Press the tabulator until the focused element meets a condition."""
    for _ in range(MOST_TABS):
        tab.keyboard.press("Tab")
        if tab.evaluate(f"(at => {condition})(document.activeElement)"):
            return
    pytest.fail(f"no element with {condition} within {MOST_TABS} steps of the keyboard")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_page_is_quiet_and_fits(browser: Any, address: str, width: int, scheme: str) -> None:
    """It has the scheme's colours, says nothing on the console, requests itself alone, and fits the window."""
    said: list[str] = []
    asked: list[str] = []
    tab = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(address)
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert tab.evaluate(BACKGROUND) == PAPER[scheme]
    assert tab.evaluate(OVERFLOW) == 0
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    tab.close()


def test_policy_refuses_requests_and_scripts(browser: Any, address: str) -> None:
    """What would be added to the page could neither run nor load."""
    tab = browser.new_page()
    tab.goto(address)
    tab.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert tab.evaluate("window.ran") is None
    refused = "fetch('https://example.org').then(() => false, () => true)"
    assert tab.evaluate(refused)
    tab.close()


def test_colours_are_chosen_by_keyboard(tab: Any) -> None:
    """The choice of colours is reached by the tabulator, moved by arrows, and shows where the focus is."""
    reach(tab, "at.name === 'scheme'")
    assert tab.evaluate(RING % "document.activeElement.nextElementSibling") == "solid 3px"
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.activeElement.id") == "scheme-dark"
    assert tab.evaluate(BACKGROUND) == PAPER["dark"]
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate(BACKGROUND) == PAPER["light"]


def test_table_is_saved_by_keyboard(tab: Any) -> None:
    """The link below a table is reached by the tabulator, shows its focus, and saves the table's JSON."""
    reach(tab, "at.download === 'scenarios.json'")
    assert tab.evaluate(RING % "document.activeElement") == "solid 3px"
    with tab.expect_download() as saved:
        tab.keyboard.press("Enter")
    document = json.loads(Path(saved.value.path()).read_text())
    assert saved.value.suggested_filename == "scenarios.json"
    shown = tab.evaluate("[...document.querySelectorAll('#scenarios tbody tr')].length")
    assert len(document["rows"]) == shown


def test_wide_tables_scroll_by_keyboard(browser: Any, address: str) -> None:
    """On a phone a table that is too wide scrolls in its own box, which has a name and takes the focus."""
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    tab.goto(address)
    reach(tab, "at.getAttribute('role') === 'region'")
    assert tab.evaluate("document.getElementById(document.activeElement.getAttribute('aria-labelledby')).textContent")
    tab.keyboard.press("ArrowRight")
    for _ in range(500):  # the page lets nobody evaluate strings, so that Playwright's own waiting fails on it
        if moved := tab.evaluate("document.activeElement.scrollLeft > 0"):
            break
        tab.wait_for_timeout(10)
    assert moved
    tab.close()


def test_charts_have_names_and_descriptions(tab: Any) -> None:
    """Every chart is an image with a name and a description for those who do not see it."""
    charts = tab.evaluate(
        "[...document.querySelectorAll('svg[role=img]')].map(chart => chart.getAttribute('aria-labelledby').split(' ')"
        ".map(id => document.getElementById(id).textContent))"
    )
    assert len(charts) >= 5
    assert all(title and len(description) > 20 for title, description in charts)
