"""`engine doctor`."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys
from typing import TYPE_CHECKING

import click

from engine_runtime.commands.console import emit, facts
from engine_runtime.commands.options import json_option
from engine_runtime.errors import MachineError

if TYPE_CHECKING:
    from engine_runtime.inference.kept import KeptBudget

PACKAGES = ("numpy", "pyarrow", "duckdb", "tokenizers", "hnswlib", "click", "rich", "msgspec")
EXTRA = ("torch", "transformers", "optimum", "onnx")
RUNTIMES = ("onnxruntime", "onnxruntime-gpu")


@click.command(short_help="Say what this machine can do.")
@json_option
def doctor(as_json: bool) -> None:
    """Look at this machine: processor, int8 support, ONNX Runtime and its providers, packages.

    Fails where something is wrong: two ONNX Runtimes over one another, or a native package that crashes here.

    \b
    Example:
      engine doctor
    """
    from engine_runtime.inference.kept import kept_budgets
    from engine_runtime.inference.machine import INT8_FEATURES, fingerprint, this_machine

    machine = this_machine()
    runtimes = [f"{name} {version}" for name in RUNTIMES if (version := _version(name))]
    int8 = sorted(set(INT8_FEATURES) & machine.features)
    found = {
        "processor": machine.processor,
        "usable CPUs": str(machine.cpus),
        "int8 instructions": ", ".join(int8) or "none: int8 variants are refused here, fp32 runs",
        "ONNX Runtime": ", ".join(runtimes),
        "runs on": ", ".join(machine.providers),
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "training and export": _extra(),
        "measured": _measured(kept_budgets(fingerprint())),
    }
    problems = _problems(runtimes)
    if as_json:
        emit({"found": found, "problems": problems})
    else:
        facts("this machine", found)
    if problems:
        raise MachineError(" ".join(problems))


def _extra() -> str:
    missing = [name for name in EXTRA if not _version(name)]
    if missing:
        return f"not installed ({', '.join(missing)} missing): pip install 'profile-engine[export]'"
    return ", ".join(f"{name} {_version(name)}" for name in EXTRA)


def _measured(budgets: list[KeptBudget]) -> str:
    """Batches that suit encoders here, as `engine tune` kept them."""
    shown = [f"{kept.budget} tokens a batch for {kept.precision} of {kept.artefact[:12]}" for kept in budgets]
    return ", ".join(shown) or "nothing yet: engine tune BUNDLE"


def _problems(runtimes: list[str]) -> list[str]:
    problems = []
    if len(runtimes) > 1:
        problems.append(
            f"{' and '.join(runtimes)} write the same files. Run: pip uninstall -y onnxruntime onnxruntime-gpu, then "
            "install profile-engine again."
        )
    # A package compiled on another processor dies by a signal; only a child process can tell.
    code = subprocess.run([sys.executable, "-c", "import hnswlib"], check=False, capture_output=True).returncode
    if code:
        problems.append(
            f"importing hnswlib ends with code {code}. It was built for another processor: "
            "HNSWLIB_NO_NATIVE=1 pip install --force-reinstall --no-binary hnswlib hnswlib."
        )
    return problems


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
