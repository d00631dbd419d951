"""The `engine` command: a group that imports a command's file only when that command is called.

It alone turns errors into exit codes: 0 ok, 2 usage, 3 environment, 4 bad input, 5 corrupt or mismatched artefact,
130 interrupted. It knows where each command lives and nothing of what it does.
"""

from __future__ import annotations

import errno
import importlib
import sys
import time
from dataclasses import dataclass
from typing import Any

import click

from engine_runtime import __version__, logs
from engine_runtime.errors import EngineError, MachineError

INTERRUPTED = 130


@dataclass(frozen=True)
class Lazy:
    """Where a command lives: module and attribute, its line in the help, the extra that it needs."""

    target: str
    help: str
    extra: str | None = None


COMMANDS = {
    "data": Lazy("engine_runtime.commands.data:data", "Fetch public data sets; ingest logs and texts."),
    "export": Lazy(
        "engine_export.commands.export:export",
        "Export an encoder or a run to verified, quantized ONNX.",
        "export",
    ),
    "train": Lazy("engine_models.commands.train:train", "Train a refiner on a data set.", "export"),
    "build": Lazy("engine_export.commands.build:build", "Encoder, training and export in one go.", "export"),
    "labels": Lazy("engine_models.commands.labels:labels", "Teach a run to predict attributes of users.", "export"),
    "evaluate": Lazy("engine_models.commands.evaluate:evaluate", "Rank the catalogue for every user.", "export"),
    "concepts": Lazy("engine_models.commands.concepts:concepts", "Show what concepts mean, and judge them.", "export"),
    "index": Lazy("engine_runtime.commands.index:index", "Index a data set's items for search."),
    "serve-batch": Lazy("engine_runtime.commands.serve_batch:serve_batch", "Profiles for every user, as Parquet."),
    "protect": Lazy("engine_runtime.commands.protect:protect", "Make a release of an output, to be given to others."),
    "pseudonyms": Lazy("engine_runtime.commands.pseudonyms:pseudonyms", "Keys of pseudonyms, and going to a new one."),
    "recommend": Lazy("engine_runtime.commands.recommend:recommend", "One user's profile and recommendations."),
    "explain": Lazy("engine_runtime.commands.explain:explain", "Why a profile and its recommendations are so."),
    "correct": Lazy("engine_runtime.commands.correct:correct", "Scale, mask or add an interest of a user."),
    "forget": Lazy("engine_runtime.commands.forget:forget", "Take users out of all that is kept of them."),
    "audit": Lazy("engine_models.commands.audit:audit", "Attack served profiles, and say what they leak.", "export"),
    "tune": Lazy("engine_runtime.commands.tune:tune", "Measure how much text an encoder reads at a time here."),
    "inspect": Lazy("engine_runtime.commands.inspect:inspect", "Say what is in a directory, and whether it is whole."),
    "bench": Lazy("engine_bench.commands.bench:bench", "Measure this engine, beside its peers.", "bench"),
    "doctor": Lazy("engine_runtime.commands.doctor:doctor", "Say what this machine can do."),
}


class LazyGroup(click.Group):
    """A click group whose help needs no command to be imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the work, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; name the extra where its package is absent."""
        if cmd_name not in COMMANDS:
            return None
        return load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from `COMMANDS` alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; name the extra where what it imports on the way is absent."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise missing(ctx.invoked_subcommand or "", error) from error
        except KeyboardInterrupt as error:
            if logs.structured():  # click would print an empty line, which is no document
                raise click.Abort from error
            raise


def load(name: str) -> click.Command:
    """Import the command `name`.

    Raises
    ------
    MachineError
        The command needs a package that is not installed.
    """
    lazy = COMMANDS[name]
    module, attribute = lazy.target.split(":")
    try:
        command: click.Command = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise missing(name, error) from error
    return command


def missing(name: str, error: ModuleNotFoundError) -> MachineError:
    """What to tell a user whose command `name` lacks a package."""
    extra = COMMANDS[name].extra
    package = f"profile-engine[{extra}]" if extra else "profile-engine"
    return MachineError(
        f"`engine {name}` needs the package '{error.name}', which is not installed. Run: pip install '{package}'"
    )


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="engine")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How stderr is written: lines for people, or one JSON document a line.",
)
@click.pass_context
def engine(ctx: click.Context, log_format: logs.Format) -> None:
    """Turn behaviour logs and texts into user profiles.

    \b
    Example:
      engine data fetch ml-100k --out raw
      engine data ingest --config raw/dataset.toml --out dataset
      engine build dataset --out bundle
      engine index bundle dataset --out index
      engine serve-batch --bundle bundle --index index --events dataset --out profiles

    \b
    Exit codes: 0 ok, 2 usage, 3 environment, 4 bad input, 5 damaged or mismatched artefact, 130 interrupted.
    """
    logs.speak(log_format)
    logs.event("started", {"command": ctx.invoked_subcommand, "version": __version__})


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line on `arguments`; return the exit code."""
    started = time.perf_counter()
    try:
        # A number comes back where click itself has answered, with a help text say; commands return nothing.
        answered = engine.main(arguments, prog_name="engine", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", INTERRUPTED)
    except click.ClickException as error:
        return _refuse(error)
    except EngineError as error:
        return _fail(str(error), error.exit_code)
    except OSError as error:
        return _fail(*_explain(error))
    else:
        return answered if isinstance(answered, int) else _end(time.perf_counter() - started)
    finally:
        logs.speak("text")


def _end(seconds: float) -> int:
    """Say how long a command took, and how much memory; return the exit code."""
    from engine_runtime.process import peak_memory

    peak = peak_memory()
    if logs.structured():
        logs.event("ended", {"exit_code": 0, "seconds": round(seconds, 3), "peak_memory_bytes": peak})
        return 0
    memory = "" if peak is None else f", peak memory {peak / 1e6:,.0f} MB"
    click.echo(click.style(f"took {seconds:.1f} s{memory}", dim=True), err=True)
    return 0


def _explain(error: OSError) -> tuple[str, int]:
    where = error.filename or "the output"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        said = f"the disk is full while writing {where}. Free some space or write elsewhere."
    elif error.errno == errno.EFBIG:
        said = (
            f"the system lets no file grow so large while writing {where}. Raise the limit (ulimit -f) or ask for it."
        )
    else:
        said = f"{error.strerror or error}: {where}. Check that it exists and may be used."
    return said, MachineError.exit_code


def _refuse(error: click.ClickException) -> int:
    """Say what click found wrong with a call, with the command's usage where a person reads it."""
    if logs.structured():
        return _fail(error.format_message(), error.exit_code)
    error.show()
    return error.exit_code


def _fail(message: str, code: int) -> int:
    if logs.structured():
        logs.event("failed", {"exit_code": code, "message": message}, "error")
        return code
    click.echo(f"{click.style('error', fg='red', bold=True)}: {message}", err=True)
    return code


if __name__ == "__main__":
    main()
