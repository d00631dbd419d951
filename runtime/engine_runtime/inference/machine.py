"""What this machine can run, and which variant of a bundle suits it.

Knows CPU features and ONNX Runtime's providers; knows nothing of files.
"""

from __future__ import annotations

import ctypes
import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort

from engine_runtime.errors import MachineError, UsageError
from engine_runtime.inference.session import PROVIDER_NAMES, Provider, available_cpus

# Linux spells a feature in /proc/cpuinfo; Arm's dot product is "asimddp".
INT8_FEATURES = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "apple")

# Stands among a variant's features for CUDA itself.
CUDA = "cuda"


@dataclass(frozen=True)
class Machine:
    """What was found on this machine.

    Attributes
    ----------
    processor
        Its name.
    features
        CPU features, as Linux names them.
    cpus
        CPUs that this process may use.
    providers
        Execution providers of ONNX Runtime that this engine knows and that find their device here.
    """

    processor: str
    features: frozenset[str]
    cpus: int
    providers: tuple[Provider, ...]


def this_machine() -> Machine:
    """Look at the machine that this process runs on."""
    processor, features = _processor()
    found = ort.get_available_providers()
    providers = tuple(name for name, long_name in PROVIDER_NAMES.items() if long_name in found)
    if "cuda" in providers and not _cuda_device():
        providers = tuple(name for name in providers if name != "cuda")
    return Machine(processor, features, available_cpus(), providers)


def fingerprint() -> str:
    """Digest of what decides how fast a graph runs here: the processor, its features, ONNX Runtime's version."""
    processor, features = _processor()
    described = "\n".join((processor, *sorted(features), ort.__version__))
    return hashlib.sha256(described.encode()).hexdigest()


def _cuda_device() -> bool:
    """Whether the CUDA driver finds a device; ONNX Runtime lists its provider on machines without one."""
    library = "nvcuda.dll" if platform.system() == "Windows" else "libcuda.so.1"
    try:
        return int(ctypes.CDLL(library).cuInit(0)) == 0
    except OSError:
        return False


def _processor() -> tuple[str, frozenset[str]]:
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return "Apple", frozenset({"apple", "asimddp"})
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine(), frozenset()
    lines = (line.partition(":") for line in info.read_text().splitlines())
    fields = {name.strip(): value.strip() for name, _, value in lines}
    name = fields.get("model name", platform.machine())
    return name, frozenset(fields.get("flags", fields.get("Features", "")).split())


def choose_precision(
    asked: str,
    present: Sequence[str],
    trained: str,
    requires: Mapping[str, Sequence[str]],
    machine: Machine,
    provider: Provider = "cpu",
) -> str:
    """Pick the variant that will run.

    Parameters
    ----------
    asked
        A variant by name, or ``auto``: on CUDA the one made for it, where there is one; else the one trained on where
        the machine can run it exactly, else the first present that it can.
    present
        Variants in the bundle.
    trained
        The variant that the refiner was trained on.
    requires
        For a variant, CPU features of which one must be there; `CUDA` for one that is made for CUDA.
    machine, provider
        Where it will run.

    Raises
    ------
    UsageError
        The variant asked for is not in the bundle.
    MachineError
        This machine cannot run it exactly.
    """
    # What asks for CPU features is made of kernels that CUDA does not have, and the other way round.
    features = frozenset({CUDA}) if provider == "cuda" else machine.features

    def runs(precision: str) -> bool:
        needed = requires.get(precision, ())
        return not needed or any(feature in features for feature in needed)

    if asked != "auto":
        if asked not in present:
            raise UsageError(f"the bundle has no variant '{asked}'; it has {', '.join(present)}.")
        if not runs(asked) and CUDA in requires[asked]:
            raise MachineError(f"the variant '{asked}' is made for CUDA; on the CPU use {_others(asked, present)}.")
        if not runs(asked):
            raise MachineError(
                f"the variant '{asked}' needs a CPU with one of the features {', '.join(requires[asked])}, and runs on "
                f"{provider} of {machine.processor}: its results would be wrong. Use another variant, or export fp32."
            )
        return asked
    made_for_cuda = [precision for precision in present if CUDA in requires.get(precision, ())]
    for precision in (*made_for_cuda, trained, *present):
        if precision in present and runs(precision):
            return precision
    raise MachineError(f"no variant of the bundle ({', '.join(present)}) runs on {machine.processor}. Export fp32.")


def _others(asked: str, present: Sequence[str]) -> str:
    return " or ".join(precision for precision in present if precision != asked) or "another variant"
