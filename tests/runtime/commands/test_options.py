"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from engine_runtime.commands import options


@click.command()
@options.out_option("toy")
@options.threads_option
@options.precision_option
@options.provider_option
@options.cache_option
@options.force_option
@options.json_option
def toy(**given: object) -> None:
    """Say what was given."""
    click.echo(repr(sorted(given.items())))


def test_defaults() -> None:
    """Only --out has to be given; a path is a path."""
    said = CliRunner().invoke(toy, ["--out", "x"])
    assert said.exit_code == 0
    given = [("as_json", False), ("cache", None), ("force", False), ("out", Path("x"))]
    assert said.output.strip() == repr([*given, ("precision", "auto"), ("provider", "cpu"), ("threads", None)])
    assert "Where the toy goes" in CliRunner().invoke(toy, ["--help"]).output


@pytest.mark.parametrize(
    "given", [[], ["--out", __file__], ["--out", "x", "--threads", "0"], ["--out", "x", "--provider", "tpu"]]
)
def test_wrong_values_are_usage_errors(given: list[str]) -> None:
    """No --out, a file for a directory, no threads and an unknown provider are exit code 2."""
    assert CliRunner().invoke(toy, given).exit_code == 2
