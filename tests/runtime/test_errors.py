"""The tree of errors and their exit codes."""

from __future__ import annotations

import pytest

from engine_runtime import errors
from engine_runtime.errors import ArtefactError, EngineError, InputError, MachineError, UsageError


def test_each_error_has_its_code() -> None:
    """Codes are those that the command line documents, and no two errors share one."""
    codes = {kind: kind.exit_code for kind in (EngineError, UsageError, MachineError, InputError, ArtefactError)}
    assert list(codes.values()) == [1, 2, 3, 4, 5]
    assert {kind.__name__ for kind in codes} == set(errors.__all__)


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_an_engine_error(name: str) -> None:
    """One name catches all that this engine raises on purpose."""
    assert issubclass(getattr(errors, name), EngineError)
