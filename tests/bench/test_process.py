"""Children that answer lines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine_bench.process import Process, environment
from engine_runtime.errors import MachineError

ECHO = "import sys\nfor line in sys.stdin: print(line.strip()[::-1], flush=True)"
DEAF = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('here', flush=True)\ntime.sleep(3600)"


def started(code: str, log: Path) -> Process:
    """A child that runs some Python."""
    return Process((sys.executable, "-c", code), 1, log)


def test_a_line_answers_a_line(tmp_path: Path) -> None:
    """Each request has its answer, and the end of the requests ends the child."""
    child = started(ECHO, tmp_path / "log.txt")
    assert [child.ask(line, 60) for line in (b"ab\n", b"cd\n")] == [b"ba\n", b"dc\n"]
    assert child.code is None
    child.close()
    assert child.code == 0


def test_a_child_that_ends_says_why(tmp_path: Path) -> None:
    """Its code and its last line are told."""
    child = started("raise SystemExit('no kernel')", tmp_path / "log.txt")
    with pytest.raises(MachineError, match="the process ended with code 1: no kernel"):
        child.ask(b"", 60)
    child.close()


def test_a_child_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    """It has only so much time."""
    child = started("import time; time.sleep(3600)", tmp_path / "log.txt")
    with pytest.raises(MachineError, match="the process ended with code"):
        child.ask(b"x\n", 0.2)
    child.close()


def test_a_child_that_does_not_listen_is_ended_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing does not wait for ever."""
    monkeypatch.setattr("engine_bench.process.GRACE_SECONDS", 0.1)
    child = started(DEAF, tmp_path / "log.txt")
    assert child.ask(b"", 60) == b"here\n"
    child.close()
    assert child.code not in (None, 0)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(MachineError, match="no-such-python cannot be started"):
        Process((str(tmp_path / "no-such-python"),), 1, tmp_path / "log.txt")


def test_a_child_has_its_threads_and_no_network() -> None:
    """What is there stays, and the hub is offline."""
    made = environment({"HOME": "/x", "OMP_NUM_THREADS": "9"}, 2)
    assert made["HOME"] == "/x"
    assert made["OMP_NUM_THREADS"] == "2"
    assert made["HF_HUB_OFFLINE"] == "1"


def test_a_child_may_have_a_path_of_its_own(tmp_path: Path) -> None:
    """In place of that of its parent."""
    code = "import os\nprint(os.environ['PYTHONPATH'], flush=True)"
    child = Process((sys.executable, "-c", code), 1, tmp_path / "log.txt", str(tmp_path))
    assert child.ask(b"", 60) == f"{tmp_path}\n".encode()
    child.close()
