"""The one door to ONNX Runtime: every session of this engine is made here.

A session runs where it was asked to run or not at all; threads are always set; spinning and the silent fallback to the
CPU are off. Knows nothing of what a graph computes, only which kinds of node may stay on the CPU beside a GPU.
"""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Literal

import onnxruntime as ort

from engine_runtime.errors import ArtefactError, MachineError

Provider = Literal["cpu", "cuda"]

PROVIDER_NAMES: dict[Provider, str] = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

# The CPU kernels of these fusions are slower than the nodes they replace (docs/architecture.md, "Sessions").
SLOW_FUSIONS = ["SkipLayerNormFusion", "BiasGeluFusion"]

# CUDA's provider leaves to the CPU what works out sizes, such as the shape of a Reshape: a few whole numbers that are
# needed there. Nothing else may run beside it; a product or a norm among these would be a fallback.
SIZE_NODES = frozenset(
    (
        *("Add", "Cast", "Concat", "ConstantOfShape", "Div", "Equal", "Expand", "Gather", "Identity", "Mul", "Pow"),
        *("Range", "Reshape", "Shape", "Slice", "Squeeze", "Sub", "Unsqueeze", "Where"),
    )
)

# Memory grows by what is asked for, not to the next power of two; float32 products are float32, not TF32; the fused
# norm adds up in float32 (ONNX Runtime's documentation, "CUDA Execution Provider", configuration options).
CUDA_OPTIONS = {
    "arena_extend_strategy": "kSameAsRequested",
    "use_tf32": "0",
    "enable_skip_layer_norm_strict_mode": "1",
}


def available_cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_session(
    graph: Path | bytes,
    provider: Provider = "cpu",
    threads: int = 1,
    *,
    optimized: Path | None = None,
    profile: Path | None = None,
) -> ort.InferenceSession:
    """Open a session on `graph`.

    Parameters
    ----------
    graph
        Path of an ONNX file, or its bytes.
    provider
        Where it has to run.
    threads
        Threads inside one operator. With 1, calls from several Python threads run side by side on shared weights.
    optimized
        Where the graph that will really run is written, for those who want to look at it.
    profile
        What the names of files of ONNX Runtime's own profile begin with; none is written if None.

    Raises
    ------
    MachineError
        The provider is not there, or the session came up on another one.
    ArtefactError
        The graph cannot be loaded.
    """
    name = PROVIDER_NAMES[provider]
    if name not in ort.get_available_providers():
        raise MachineError(
            f"{name} was asked for; this installation of ONNX Runtime has {', '.join(ort.get_available_providers())}. "
            "Run `engine doctor`, or use the CPU."
        )
    if provider == "cuda":
        with redirect_stdout(sys.stderr):  # it prints what it does not find
            ort.preload_dlls()
    source = graph if isinstance(graph, bytes) else str(graph)
    options = _options(provider, threads)
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    chosen = (name, CUDA_OPTIONS) if provider == "cuda" else name
    slow = SLOW_FUSIONS if provider == "cpu" else []
    try:
        session = ort.InferenceSession(source, options, providers=[chosen], disabled_optimizers=slow)
    except Exception as error:  # ONNX Runtime's errors share no base class
        if provider != "cpu":
            raise MachineError(f"{name} could not be started: {error}. Run `engine doctor`.") from error
        shown = "the graph" if isinstance(graph, bytes) else str(graph)
        raise ArtefactError(f"ONNX Runtime cannot load {shown}: {error}. Make the artefact again.") from error
    session.disable_fallback()
    if session.get_providers()[0] != name:
        raise MachineError(f"{name} was asked for, but the session runs on {session.get_providers()[0]}.")
    if provider == "cuda":
        _refuse_fallback(session, name)
    return session


def _refuse_fallback(session: ort.InferenceSession, name: str) -> None:
    """See that only work on sizes was left to the CPU; raises `MachineError`."""
    try:
        parts: list[Any] = session.get_provider_graph_assignment_info()
    except AttributeError as error:
        raise MachineError(
            f"ONNX Runtime {ort.__version__} does not tell which nodes {name} takes. Install onnxruntime-gpu 1.24 or "
            "newer, or use the CPU."
        ) from error
    strays = [node for part in parts if part.ep_name != name for node in part.get_nodes()]
    if left := sorted({node.op_type for node in strays} - SIZE_NODES):
        raise MachineError(
            f"{name} was asked for, but it would leave {', '.join(left)} to the CPU: this variant is not made for it. "
            "Export with --precision fp16, or use the CPU."
        )


def _options(provider: Provider, threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Patterns are kept for each shape: on a CPU every batch has its own, on a GPU a few come again and again.
    options.enable_mem_pattern = provider == "cuda"
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if provider == "cuda":
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return options
