"""A headless Chromium for pages of this project; neither it nor Playwright is a dependency."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")


def executable() -> str | None:
    """Where the browser is: what ``CHROMIUM`` names, or the first of the usual names on the path."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def missing() -> str:
    """What is not there, in words; empty where all is."""
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed: pip install playwright"
    return "" if executable() else f"none of {', '.join(NAMES)} is on the path, and CHROMIUM names none"


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser, closed at the end; needs `missing` to be empty."""
    from playwright.sync_api import sync_playwright

    # root may not use the sandbox
    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=executable(), args=options)
        try:
            yield browser
        finally:
            browser.close()
