"""What the runtime imports, seen from child processes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

ALLOWED = {
    *(
        "engine_runtime",
        "numpy",
        "onnxruntime",
        "tokenizers",
        "hnswlib",
        "pyarrow",
        "duckdb",
        "_duckdb",
        "click",
        "rich",
    ),
    *("msgspec", "google", "flatbuffers", "packaging", "typing_extensions"),
    *("cython_runtime", "cloudpickle"),  # made by Cython's modules; tried by pyarrow where it is installed
}
"""The runtime's own requirements and what those import."""

TOOLS = {"coverage", "a1_coverage", "sitecustomize", "usercustomize"}
"""What watches the tests, not what is tested."""

ALL_MODULES = """
import importlib, json, pkgutil, sys
import engine_runtime
names = [module.name for module in pkgutil.walk_packages(engine_runtime.__path__, "engine_runtime.")]
for name in names:
    importlib.import_module(name)
print(json.dumps({"names": names, "loaded": sorted(sys.modules)}))
"""

SETTINGS = """
import json, os
for name in ("ORT_DISABLE_TELEMETRY", "TOKENIZERS_PARALLELISM"):
    os.environ.pop(name, None)
os.environ.update({given})
import engine_runtime
print(json.dumps({{name: os.environ[name] for name in ("ORT_DISABLE_TELEMETRY", "TOKENIZERS_PARALLELISM")}}))
"""

HELP = """
import contextlib, io, json, sys
from engine_runtime import cli
with contextlib.redirect_stdout(io.StringIO()) as said:
    code = cli.run(["--help"])
print(json.dumps({"code": code, "said": said.getvalue(), "loaded": sorted(sys.modules)}))
"""


def child(program: str) -> dict[str, Any]:
    """Run a program in a fresh interpreter and read what it prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def foreign(loaded: list[str]) -> set[str]:
    """Top-level names that are neither Python's nor a tool's."""
    names = {name.partition(".")[0] for name in loaded}
    return {
        name
        for name in names - set(sys.stdlib_module_names) - TOOLS
        if not name.startswith(("_", "$")) or name == "_duckdb"
    }


def test_the_runtime_imports_what_it_may() -> None:
    """All modules together bring in the base requirements alone: no PyTorch, no exporter, no other package of ours."""
    found = child(ALL_MODULES)
    assert len(found["names"]) > 40
    assert foreign(found["loaded"]) <= ALLOWED
    assert {"torch", "transformers", "optimum", "sentence_transformers", "onnx"}.isdisjoint(found["loaded"])


def test_libraries_are_told_before_their_import() -> None:
    """ONNX Runtime sends no usage data and the tokenizers start no threads, unless the user has said otherwise."""
    told = {"ORT_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}
    assert child(SETTINGS.format(given={})) == told
    own = {"ORT_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "true"}
    assert child(SETTINGS.format(given=own)) == own


def test_help_imports_next_to_nothing() -> None:
    """``engine --help`` loads click and the list of commands: neither arrays, nor tables, nor a command."""
    found = child(HELP)
    assert found["code"] == 0
    assert "serve-batch" in found["said"]
    assert foreign(found["loaded"]) == {"engine_runtime", "click"}
    ours = {name for name in found["loaded"] if name.startswith("engine_runtime")}
    assert ours == {"engine_runtime", "engine_runtime.cli", "engine_runtime.errors", "engine_runtime.logs"}
    assert len(found["loaded"]) < 250
