"""A small shop taken the whole way once, for all end-to-end tests; and what is noted of bad inputs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from end_to_end.command import BAD_INPUT, Answer, succeed
from end_to_end.shop_files import Shop, write_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The shop's files and artefacts, made with the real default encoder."""
    made = Shop(tmp_path_factory.mktemp("shop"))
    users = write_shop(made)
    files = ("--config", made.config, "--events", made.events, "--items", made.items, "--users", users)
    succeed("data", "ingest", *files, "--out", made.dataset)
    work = made.root / "work"
    succeed("build", made.dataset, "--out", made.bundle, "--work", work, "--minutes", "0.1")
    succeed("index", made.bundle, made.dataset, "--method", "hnsw", "--out", made.index)
    return made


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Callable[[str, Answer], None]:
    """Where a test of a bad input notes what the command said: in its report, which comes from whatever process."""

    def noted(name: str, answer: Answer) -> None:
        record_property(BAD_INPUT, f"exit {answer.code}  {name}: {_telling(answer)}")

    return noted


def _telling(answer: Answer) -> str:
    """The line that says what was wrong, or that nothing was."""
    said = [line.strip() for line in (answer.err + answer.out).splitlines()]
    error = next((line for line in said if line.startswith("error")), None)
    return error or next((line for line in said if ".csv:" in line), "nothing to say, all rows kept")
