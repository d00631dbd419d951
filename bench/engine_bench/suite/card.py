"""The machine's card: what is known of the machine and its libraries, and whether two results may be compared.

Knows where to look; knows nothing of what is measured. What cannot be found out is empty rather than guessed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import onnxruntime as ort

from engine_bench.fingerprint import installed
from engine_runtime.inference.machine import this_machine

LIBRARIES = ("onnxruntime-gpu", "onnxruntime", "tokenizers", "numpy", "hnswlib", "pyarrow", "duckdb")
CPU = Path("/sys/devices/system/cpu/cpu0")
QUOTA = Path("/sys/fs/cgroup/cpu.max")
MEMINFO = Path("/proc/meminfo")
GPU_FIELDS = ("name", "driver_version", "compute_cap", "clocks.max.sm", "mig.mode.current", "memory.total")


@dataclass(frozen=True)
class Card:
    """What results hold for. Two of them are compared only where all of this is the same.

    Attributes
    ----------
    processor, features
        The CPU's name and its features, sorted, as the system names them.
    cpus
        CPUs that the process may use.
    caches
        Bytes of each cache as the first CPU sees it, by level and kind: ``L1 data``, ``L2``, ..
    quota
        CPUs that the control group grants; None without a limit.
    governor, turbo
        Frequency policy; empty where the system does not tell.
    memory
        Bytes.
    gpus
        A line for each: name, driver, compute capability, clock, MIG, memory.
    kernel
        System and its release.
    libraries
        Versions, and ONNX Runtime's build, by name.
    providers
        Execution providers that this engine knows and that find their device.
    """

    processor: str
    features: tuple[str, ...]
    cpus: int
    caches: dict[str, int]
    quota: float | None
    governor: str
    turbo: str
    memory: int
    gpus: tuple[str, ...]
    kernel: str
    libraries: dict[str, str]
    providers: tuple[str, ...] = ("cpu",)

    @property
    def digest(self) -> str:
        """One string for all of it: sha256, 16 digits."""
        return hashlib.sha256(msgspec.json.encode(asdict(self), order="sorted")).hexdigest()[:16]


def read_card() -> Card:
    """Look at this machine."""
    machine = this_machine()
    return Card(
        processor=machine.processor,
        features=tuple(sorted(machine.features)),
        cpus=machine.cpus,
        caches=_caches(CPU / "cache"),
        quota=_quota(_text(QUOTA)),
        governor=_text(CPU / "cpufreq/scaling_governor"),
        turbo=_text(CPU.parent / "cpufreq/boost") or _text(CPU.parent / "intel_pstate/no_turbo"),
        memory=_memory(_text(MEMINFO)),
        gpus=_gpus(),
        kernel=f"{platform.system()} {platform.release()}",
        libraries=installed(LIBRARIES) | {"python": platform.python_version(), "ONNX Runtime's build": _build()},
        providers=machine.providers,
    )


def differences(one: Card, other: Card) -> tuple[str, ...]:
    """What two cards differ in, a line each with both values; empty where results may be compared."""
    ours, theirs = _flat(one), _flat(other)
    names = sorted(ours.keys() | theirs.keys())
    return tuple(
        f"{name}: {ours.get(name, 'unknown')} and {theirs.get(name, 'unknown')}"
        for name in names
        if ours.get(name) != theirs.get(name)
    )


def _flat(card: Card) -> dict[str, str]:
    """Every fact by a name of its own; of the features those alone that a reader could look for."""
    facts: dict[str, str] = {}
    for name, value in asdict(card).items():
        if isinstance(value, dict):
            facts |= {f"{name} {key}": str(entry) for key, entry in value.items()}
        elif name == "features":
            facts |= {f"feature {feature}": "there" for feature in value}
        elif isinstance(value, tuple):
            facts |= {f"{name} {place}": str(entry) for place, entry in enumerate(value)}
        else:
            facts[name] = str(value)
    return facts


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _caches(folder: Path) -> dict[str, int]:
    caches = {}
    for place in sorted(folder.glob("index*")):
        level, kind, size = (_text(place / name) for name in ("level", "type", "size"))
        if level and size.endswith("K"):
            caches[f"L{level}" if kind == "Unified" else f"L{level} {kind.lower()}"] = int(size[:-1]) * 1024
    return caches


def _quota(text: str) -> float | None:
    """CPUs granted by a control group whose ``cpu.max`` reads `text`: microseconds and the period, or ``max``."""
    granted, _, period = text.partition(" ")
    return int(granted) / int(period) if granted.isdigit() and period.isdigit() else None


def _memory(text: str) -> int:
    for line in text.splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0


def _build() -> str:
    """What ONNX Runtime says of the build that runs."""
    return str(ort.get_build_info())


def _gpus() -> tuple[str, ...]:
    """NVIDIA's devices, as its tool tells of them; empty without the tool."""
    command = ["nvidia-smi", f"--query-gpu={','.join(GPU_FIELDS)}", "--format=csv,noheader"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in found.stdout.splitlines() if line.strip())
