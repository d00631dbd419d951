"""The door to ONNX Runtime: a session runs where it was asked to or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

import tiny
from engine_runtime.errors import ArtefactError, MachineError
from engine_runtime.inference.session import available_cpus, open_session

FEED = {"input_ids": np.array([[2, 4, 3]]), "attention_mask": np.ones((1, 3), np.int64)}


@pytest.mark.parametrize("as_bytes", [True, False])
def test_a_graph_runs_from_a_file_or_from_bytes(tmp_path: Path, as_bytes: bool) -> None:
    """Both ways in give the same session, on the CPU alone."""
    path = tmp_path / "graph.onnx"
    path.write_bytes(tiny.encoder_graph())
    opened = open_session(path.read_bytes() if as_bytes else path)
    assert opened.get_providers() == ["CPUExecutionProvider"]
    assert opened.run(["text"], FEED)[0] == pytest.approx(tiny.encoded(["red"]), abs=1e-6)


def test_threads_are_set_and_do_not_spin() -> None:
    """Threads are those asked for, spinning is off, and memory patterns are too."""
    options = open_session(tiny.encoder_graph(), threads=2).get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert not options.enable_mem_pattern
    assert open_session(tiny.encoder_graph()).get_session_options().intra_op_num_threads == 1


def test_the_graph_that_runs_can_be_looked_at(tmp_path: Path) -> None:
    """The optimized graph is written where it was asked for."""
    open_session(tiny.encoder_graph(), optimized=tmp_path / "optimized.onnx")
    assert (tmp_path / "optimized.onnx").stat().st_size


@pytest.mark.parametrize("content", [b"", b"no graph", tiny.encoder_graph()[:200], tiny.encoder_graph()[:-40]])
def test_a_damaged_graph_is_an_artefact_error(tmp_path: Path, content: bytes) -> None:
    """What cannot be loaded is named, with what to do."""
    path = tmp_path / "graph.onnx"
    path.write_bytes(content)
    with pytest.raises(ArtefactError, match=r"graph\.onnx.*Make the artefact again"):
        open_session(path)


def test_damaged_bytes_and_missing_files_are_artefact_errors(tmp_path: Path) -> None:
    """Neither comes out as an error of ONNX Runtime."""
    with pytest.raises(ArtefactError, match="cannot load the graph"):
        open_session(b"no graph")
    with pytest.raises(ArtefactError, match=r"gone\.onnx"):
        open_session(tmp_path / "gone.onnx")


def test_cuda_without_the_provider_is_a_machine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that the installation lacks is never replaced by the CPU."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(MachineError, match="CUDAExecutionProvider was asked for"):
        open_session(tiny.encoder_graph(), "cuda")


def test_cuda_that_does_not_start_is_a_machine_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A provider that fails to start is named, and what its loader prints stays off stdout."""

    def fail(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("no device")

    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(ort, "preload_dlls", lambda: print("Failed to load"), raising=False)  # noqa: T201
    monkeypatch.setattr(ort, "InferenceSession", fail)
    with pytest.raises(MachineError, match=r"could not be started: no device.*engine doctor"):
        open_session(tiny.encoder_graph(), "cuda")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Failed to load\n")


@pytest.mark.filterwarnings("ignore")
def test_cuda_on_this_machine_runs_or_is_a_machine_error() -> None:
    """With a GPU the session is on it, without one there is none."""
    with contextlib.suppress(MachineError):
        assert open_session(tiny.encoder_graph(), "cuda").get_providers()[0] == "CUDAExecutionProvider"


def test_a_session_that_came_up_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for CUDA and got the CPU is an error."""

    class Elsewhere:
        def disable_fallback(self) -> None:
            """Do as a session does."""

        def get_providers(self) -> list[str]:
            """Say where it runs."""
            return ["CPUExecutionProvider"]

    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(ort, "preload_dlls", lambda: None, raising=False)
    monkeypatch.setattr(ort, "InferenceSession", lambda *arguments, **options: Elsewhere())
    with pytest.raises(MachineError, match="but the session runs on CPUExecutionProvider"):
        open_session(tiny.encoder_graph(), "cuda")


class Placed:
    """A session on CUDA that says which kinds of node it left to the CPU."""

    def __init__(self, *left: str) -> None:
        self._left = left

    def disable_fallback(self) -> None:
        """Do as a session does."""

    def get_providers(self) -> list[str]:
        """Say where it runs."""
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def get_provider_graph_assignment_info(self) -> list[Any]:
        """Say what runs where."""

        def part(name: str, *kinds: str) -> Any:
            nodes = [SimpleNamespace(op_type=kind) for kind in kinds]
            return SimpleNamespace(ep_name=name, get_nodes=lambda: nodes)

        return [part("CUDAExecutionProvider", "MatMul"), part("CPUExecutionProvider", *self._left)]


def open_on_cuda(monkeypatch: pytest.MonkeyPatch, session: object) -> Any:
    """Open a session on CUDA, with ONNX Runtime giving `session`; returns what it was asked for as well."""
    asked: dict[str, Any] = {}

    def made(source: bytes, options: ort.SessionOptions, **others: Any) -> object:
        asked.update(others, options=options)
        return session

    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(ort, "preload_dlls", lambda: None, raising=False)
    monkeypatch.setattr(ort, "InferenceSession", made)
    return open_session(tiny.encoder_graph(), "cuda"), asked


def test_only_work_on_sizes_may_stay_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes may be worked out beside the GPU; a product there is a fallback, and is refused by name."""
    session = Placed("Gather", "Concat")
    assert open_on_cuda(monkeypatch, session)[0] is session
    with pytest.raises(MachineError, match=r"would leave MatMulIntegerToFloat, Softmax to the CPU"):
        open_on_cuda(monkeypatch, Placed("Softmax", "Gather", "MatMulIntegerToFloat"))


def test_placement_that_cannot_be_seen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version of ONNX Runtime that does not tell what runs where is not trusted."""
    monkeypatch.delattr(Placed, "get_provider_graph_assignment_info")
    with pytest.raises(MachineError, match=r"does not tell which nodes.*1\.24"):
        open_on_cuda(monkeypatch, Placed())


def test_settings_of_a_session_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Placement is recorded, patterns of memory are kept, fused nodes may be made, products are float32."""
    _, asked = open_on_cuda(monkeypatch, Placed())
    ((name, chosen),) = asked["providers"]
    assert (name, chosen["use_tf32"], asked["disabled_optimizers"]) == ("CUDAExecutionProvider", "0", [])
    assert asked["options"].get_session_config_entry("session.record_ep_graph_assignment_info") == "1"
    assert asked["options"].enable_mem_pattern


def test_cpus_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The count follows the affinity where there is one, else the machine."""
    assert available_cpus() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cpus() == 1
