"""Pages of made-up people."""

from __future__ import annotations

import pytest

from engine_runtime.page.document import page
from engine_runtime.page.words import LANGUAGES
from sample_people import known, unknown


@pytest.fixture(scope="session", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def one(language: str) -> str:
    """The page of one person."""
    return page([known(language)], language)


@pytest.fixture(scope="session")
def many(language: str) -> str:
    """The page of some people."""
    return page([known(language), unknown(language), known(language)], language)
