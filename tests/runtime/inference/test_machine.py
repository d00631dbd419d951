"""What a machine can run, and the variant chosen for it."""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path

import onnxruntime as ort
import pytest

from engine_runtime.errors import MachineError, UsageError
from engine_runtime.inference import machine as looking
from engine_runtime.inference.machine import CUDA, INT8_FEATURES, Machine, choose_precision, this_machine

MODERN = Machine("modern", frozenset({"avx2", "avx512_vnni"}), 8, ("cpu",))
OLD = Machine("old", frozenset({"avx2"}), 2, ("cpu",))
REQUIRES = {"int8": INT8_FEATURES, "fp32": (), "fp16": (CUDA,)}
ALL = ("int8", "fp32", "fp16")


@pytest.mark.parametrize(
    ("asked", "present", "trained", "machine", "chosen"),
    [
        ("auto", ("int8", "fp32"), "int8", MODERN, "int8"),
        ("auto", ("int8", "fp32"), "fp32", MODERN, "fp32"),
        ("auto", ("int8", "fp32"), "int8", OLD, "fp32"),
        ("auto", ("int8", "fp32"), "fp16", MODERN, "int8"),
        ("auto", ("int8", "fp32"), "fp16", OLD, "fp32"),
        ("int8", ("int8", "fp32"), "fp32", MODERN, "int8"),
        ("fp32", ("int8", "fp32"), "int8", OLD, "fp32"),
        ("auto", ALL, "fp16", OLD, "fp32"),
        ("auto", ("fp16", "fp32"), "fp16", MODERN, "fp32"),
    ],
)
def test_the_variant_chosen(asked: str, present: tuple[str, ...], trained: str, machine: Machine, chosen: str) -> None:
    """The variant asked for, else the one trained on, else the first that this machine runs exactly."""
    assert choose_precision(asked, present, trained, REQUIRES, machine) == chosen


def test_the_wrong_variant_for_the_machine_is_refused() -> None:
    """A variant that would give wrong numbers here does not run, and the features that it needs are named."""
    with pytest.raises(MachineError, match=r"avx512_vnni.*runs on cpu of old"):
        choose_precision("int8", ("int8", "fp32"), "int8", REQUIRES, OLD)


def test_a_variant_that_is_not_there_is_a_usage_error() -> None:
    """The variants that are there are named."""
    with pytest.raises(UsageError, match="'fp16'; it has int8, fp32"):
        choose_precision("fp16", ("int8", "fp32"), "int8", REQUIRES, MODERN)


@pytest.mark.parametrize("present", [("int8",), ()])
def test_no_variant_for_the_machine(present: tuple[str, ...]) -> None:
    """Where none of the variants runs, the way out is named."""
    with pytest.raises(MachineError, match="Export fp32"):
        choose_precision("auto", present, "int8", REQUIRES, OLD)


def test_this_machine_has_a_cpu() -> None:
    """Whatever this machine is, it runs on its CPU."""
    found = this_machine()
    assert "cpu" in found.providers
    assert found.processor
    assert found.cpus >= 1


@pytest.mark.parametrize(("code", "providers"), [(0, ("cpu", "cuda")), (100, ("cpu",)), (None, ("cpu",))])
def test_cuda_needs_a_device(monkeypatch: pytest.MonkeyPatch, code: int | None, providers: tuple[str, ...]) -> None:
    """The CUDA provider counts where the driver finds a device, not where it is merely installed."""

    class Driver:
        def __init__(self, name: str) -> None:
            if code is None:
                raise OSError(name)

        def cuInit(self, flags: int) -> int:  # noqa: N802
            """Answer as the driver does."""
            assert flags == 0
            return code or 0

    monkeypatch.setattr(ctypes, "CDLL", Driver)
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    assert this_machine().providers == providers


@pytest.mark.parametrize(
    ("text", "processor", "features"),
    [
        ("model name\t: Fast 3000\nflags\t\t: avx2 avx512_vnni\n\n", "Fast 3000", {"avx2", "avx512_vnni"}),
        ("processor: 0\nFeatures: fp asimd asimddp\n", platform.machine(), {"fp", "asimd", "asimddp"}),
        ("", platform.machine(), set()),
    ],
)
def test_features_as_linux_tells_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, processor: str, features: set[str]
) -> None:
    """Name and features come from /proc/cpuinfo, on x86 and on Arm."""
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(looking, "Path", lambda name: tmp_path / Path(name).name)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    found = this_machine()
    assert (found.processor, set(found.features)) == (processor, features)


def test_features_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An Apple processor has what int8 needs; of a machine without /proc nothing is known."""
    monkeypatch.setattr(looking, "Path", lambda name: tmp_path / "none")
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert (this_machine().processor, this_machine().features) == ("arm64", frozenset())
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert set(INT8_FEATURES) & this_machine().features


def test_int8_is_for_cpus() -> None:
    """On CUDA, auto passes the variant by that needs CPU features, and asking for it is refused."""
    assert choose_precision("auto", ("int8", "fp32"), "int8", REQUIRES, MODERN, "cuda") == "fp32"
    with pytest.raises(MachineError, match="cuda"):
        choose_precision("int8", ("int8", "fp32"), "int8", REQUIRES, MODERN, "cuda")


@pytest.mark.parametrize(
    ("asked", "present", "trained", "chosen"),
    [
        ("auto", ALL, "int8", "fp16"),
        ("auto", ALL, "fp32", "fp16"),
        ("auto", ("int8", "fp32"), "int8", "fp32"),
        ("fp32", ALL, "int8", "fp32"),
        ("fp16", ALL, "int8", "fp16"),
    ],
)
def test_half_precision_is_for_cuda(asked: str, present: tuple[str, ...], trained: str, chosen: str) -> None:
    """On CUDA, auto takes the variant that is made for it, whichever was trained on; another may be asked for."""
    assert choose_precision(asked, present, trained, REQUIRES, OLD, "cuda") == chosen


@pytest.mark.parametrize(("present", "way"), [(ALL, "int8 or fp32"), (("fp16",), "another variant")])
def test_half_precision_is_never_for_a_cpu(present: tuple[str, ...], way: str) -> None:
    """Asked for on a CPU, half precision is refused with what to use."""
    with pytest.raises(MachineError, match=f"made for CUDA; on the CPU use {way}"):
        choose_precision("fp16", present, "int8", REQUIRES, MODERN)
