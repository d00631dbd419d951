"""The command `engine doctor`, called as `main` calls it."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine_runtime import cli
from engine_runtime.commands import doctor as command
from engine_runtime.inference import machine
from engine_runtime.inference.kept import KeptBudget, keep_budget
from engine_runtime.inference.machine import Machine


@pytest.fixture(autouse=True)
def healthy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One ONNX Runtime, native packages that can be imported, and nothing measured."""
    monkeypatch.setenv("PROFILE_ENGINE_HOME", str(tmp_path))
    monkeypatch.setattr(command, "RUNTIMES", ("click",))
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: SimpleNamespace(returncode=0))


def asked(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the command finds."""
    capsys.readouterr()
    cli.run(["doctor", "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_healthy_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """Processor, providers and packages are said, for people and for machines, with exit code 0."""
    assert cli.run(["doctor"]) == 0
    assert "usable CPUs" in capsys.readouterr().out
    found = asked(capsys)
    assert found["problems"] == []
    assert "cpu" in found["found"]["runs on"]
    assert "numpy" in found["found"]["packages"]


def test_int8_is_said_to_run_or_not(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A processor without the instructions is told what happens then."""
    for features, said in (
        (set(), "none: int8 variants are refused here"),
        ({"avx_vnni", "amx_int8"}, "amx_int8, avx_vnni"),
    ):
        found = Machine("some", frozenset(features), 1, ("cpu",))
        monkeypatch.setattr(machine, "this_machine", lambda found=found: found)
        assert asked(capsys)["found"]["int8 instructions"].startswith(said)


def test_what_was_measured_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Budgets that `engine tune` kept for this machine are shown; without any, what makes them."""
    assert asked(capsys)["found"]["measured"] == "nothing yet: engine tune BUNDLE"
    keep_budget(KeptBudget(machine.fingerprint(), "a" * 64, "int8", 256, {}))
    keep_budget(KeptBudget("another machine", "a" * 64, "int8", 512, {}))
    assert asked(capsys)["found"]["measured"] == "256 tokens a batch for int8 of aaaaaaaaaaaa"


def test_missing_extras_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What export needs and where it comes from is said; where all is there, so are the versions."""
    monkeypatch.setattr(command, "EXTRA", ("click", "no-such-package"))
    assert "pip install 'profile-engine[export]'" in asked(capsys)["found"]["training and export"]
    monkeypatch.setattr(command, "EXTRA", ("click",))
    assert asked(capsys)["found"]["training and export"] == f"click {importlib.metadata.version('click')}"


def test_two_runtimes_are_a_problem(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Two ONNX Runtimes over one another are exit code 3, with the way out."""
    monkeypatch.setattr(command, "RUNTIMES", ("click", "rich"))
    assert cli.run(["doctor"]) == 3
    assert "pip uninstall" in capsys.readouterr().err


def test_a_package_that_crashes_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A native package built for another processor is found by a child that dies."""
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: SimpleNamespace(returncode=-4))
    assert cli.run(["doctor"]) == 3
    assert "importing hnswlib ends with code -4" in capsys.readouterr().err
