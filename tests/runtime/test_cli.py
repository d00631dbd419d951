"""The command line: help, exit codes, and no traceback for a user's mistake."""

from __future__ import annotations

import errno
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from engine_runtime import __version__, cli
from engine_runtime.cli import COMMANDS, Lazy
from engine_runtime.errors import ArtefactError, EngineError, InputError, MachineError, UsageError
from tiny import World

ENGINE = Path(sys.executable).with_name("engine")
OWN = [name for name, lazy in COMMANDS.items() if lazy.extra is None]
EXTRA = [name for name, lazy in COMMANDS.items() if lazy.extra is not None]

WITHOUT_EXTRA = """
import sys
from engine_runtime import cli

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "optimum", "onnx", "scipy", "safetensors"}:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Absent())
folder = sys.argv[1]
calls = {
    "export": ["export", "--calibrate", folder, "--out", "x"],
    "train": ["train", folder, "--encoder", folder, "--out", "x"],
    "build": ["build", folder, "--out", "x"],
    "labels": ["labels", folder, folder, "--labels", "age", "--out", folder + "/labels"],
    "evaluate": ["evaluate", folder, folder],
    "concepts": ["concepts", folder, folder],
    "audit": ["audit", folder, "--events", folder, "--bundle", folder],
    "bench": ["bench", "peers", "encoder", "--encoder", folder, "--dataset", folder],
}
for name in cli.COMMANDS:
    if cli.COMMANDS[name].extra:
        print(name, cli.run(calls[name]))
"""

HELP_OF_EXTRA = """
from engine_runtime import cli
for name in cli.COMMANDS:
    if cli.COMMANDS[name].extra:
        print("HELP OF", name, cli.run([name, "--help"]))
"""

WAITING = """
import signal, sys, time
import click
from engine_runtime import cli

# a shell that starts its jobs in the background has them ignore interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)

@click.command()
def wait():
    print("ready", flush=True)
    time.sleep(60)

sys.modules["waiting"] = sys.modules["__main__"]
cli.COMMANDS["wait"] = cli.Lazy("waiting:wait", "Wait.")
sys.argv = ["engine", "wait"]
cli.main()
"""


def engine(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a child process."""
    return subprocess.run([ENGINE, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A way to run a command that fails."""

    def fail(error: BaseException) -> int:
        @click.command()
        def broken() -> None:
            raise error

        monkeypatch.setattr(cli, "load", lambda name: broken)
        return cli.run(["doctor"])

    return fail


def test_the_installed_command(world: World, tmp_path: Path) -> None:
    """Exit codes reach the shell, and an error is one line on stderr without a traceback."""
    version = engine("--version")
    assert (version.returncode, version.stdout) == (0, f"engine, version {__version__}\n")
    wrong = engine("inspekt", tmp_path)
    assert wrong.returncode == 2
    assert "No such command 'inspekt'" in wrong.stderr
    whole = engine("inspect", world.index.root, "--json")
    assert whole.returncode == 0
    assert json.loads(whole.stdout)["digest"] == world.index.manifest.digest
    assert re.fullmatch(r"took [\d.]+ s, peak memory [\d,]+ MB\n", whole.stderr)
    damaged = engine("inspect", tmp_path)
    assert damaged.returncode == 5
    assert damaged.stderr == f"error: no artefact in {tmp_path}: manifest.json is missing.\n"
    assert damaged.stdout == ""
    unknown = engine("recommend", "nobody", *world.options)
    assert unknown.returncode == 4
    assert "Traceback" not in unknown.stderr
    environment = engine("index", world.bundle.root, world.dataset.root, "--precision=int8", f"--out={tmp_path / 'x'}")
    assert environment.returncode == 3


def test_an_interrupt_is_130() -> None:
    """Control-C ends a command with 130 and one word, not with a traceback."""
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert said.strip() == "error: interrupted"


@pytest.mark.parametrize("name", OWN)
def test_every_command_has_a_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of a command shows how it is called."""
    assert cli.run([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert "Example:" in said
    assert f"engine {name}" in said


def test_commands_of_an_extra_have_a_help_with_an_example() -> None:
    """So does the help of a command that trains or exports, where its extra is installed."""
    done = subprocess.run([sys.executable, "-c", HELP_OF_EXTRA], capture_output=True, text=True, check=True)
    parts = done.stdout.split("HELP OF ")
    assert len(parts) == len(EXTRA) + 1
    for name, said, told in zip(EXTRA, parts, parts[1:], strict=False):
        code = int(told.split()[1])
        assert code in (0, 3)
        assert code == 3 or "Example:" in said
        assert code == 0 or f"pip install 'profile-engine[{COMMANDS[name].extra}]'" in done.stderr
        assert told.startswith(name)


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    """Without its extra a command ends with 3 and the line that installs it, on whatever line it needs it."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRA, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [f"{name} 3" for name in EXTRA]
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(EXTRA)
    for name, line in zip(EXTRA, lines, strict=True):
        assert line.startswith(f"error: `engine {name}` needs the package '")
        assert line.endswith(f"Run: pip install 'profile-engine[{COMMANDS[name].extra}]'")


def test_a_missing_requirement_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A base package that is gone is an environment's fault too."""
    monkeypatch.setitem(COMMANDS, "doctor", Lazy("no_such_package:doctor", "Nothing."))
    assert cli.run(["doctor"]) == 3
    assert "'no_such_package', which is not installed. Run: pip install 'profile-engine'" in capsys.readouterr().err


def test_help_lists_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """The group's help names every command with its line, in the order of the work."""
    for arguments in (["--help"], ["-h"]):
        assert cli.run(arguments) == 0
        said = capsys.readouterr().out
        assert "Example:" in said
        places = [said.index(f"\n  {name} ") for name in COMMANDS]
        assert places == sorted(places)
    assert list(COMMANDS) == cli.engine.list_commands(click.Context(cli.engine))


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["inspect"], ["inspect", "x", "y"], []])
def test_a_wrong_call_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown commands and options, and too few or too many arguments, are usage errors."""
    assert cli.run(arguments) == 2
    assert "engine" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [EngineError, UsageError, MachineError, InputError, ArtefactError])
def test_errors_become_exit_codes(failing: Any, kind: type[EngineError], capsys: pytest.CaptureFixture[str]) -> None:
    """Each kind of error has its code, and its message is all that is said."""
    assert failing(kind("what was looked for, where, and what to do")) == kind.exit_code
    assert capsys.readouterr().err == "error: what was looked for, where, and what to do\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/out"), "the disk is full while writing /data/out"),
        (OSError(errno.EFBIG, "File too large"), "the system lets no file grow so large while writing the output"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full while writing the output"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/out"), "Permission denied: /data/out"),
        (OSError("7 requested and 3 written"), "7 requested and 3 written: the output"),
    ],
)
def test_errors_of_the_system_are_3(
    failing: Any, error: OSError, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk and a place that may not be written to are the machine's, with the path."""
    assert failing(error) == 3
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (click.Abort(), 130), (click.UsageError("x"), 2)]
)
def test_other_endings(failing: Any, error: BaseException, code: int) -> None:
    """An interrupt and click's own errors keep their codes."""
    assert failing(error) == code


def test_a_command_that_leaves_keeps_its_code(failing: Any) -> None:
    """A code that a command exits with by itself is passed on."""
    assert failing(click.exceptions.Exit(7)) == 7


def test_memory_is_not_counted_everywhere(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the system does not count memory, the time alone is said."""
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr(cli, "load", lambda name: click.Command(name, callback=lambda: None))
    assert cli.run(["doctor"]) == 0
    assert re.fullmatch(r"took [\d.]+ s\n", capsys.readouterr().err)


def test_a_mistake_of_ours_is_not_hidden(failing: Any) -> None:
    """What this engine did not expect comes out as it is."""
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError())


def test_the_module_is_the_command() -> None:
    """`python -m engine_runtime.cli` does what `engine` does, and does not end in silence."""
    command = [sys.executable, "-m", "engine_runtime.cli", "--version"]
    assert "engine" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
