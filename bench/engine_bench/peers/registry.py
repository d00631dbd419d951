"""The peers by name: where each lives, and what brings it where it is not installed. Imports none of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from engine_runtime.errors import UsageError

OURS = "ours-int8"
ONE_WORKER = "ours-one-worker"
EXACT = "ours-fp32"
OPENVINO = "openvino-int8"

INSTALL = "pip install 'profile-engine[bench]'"


@dataclass(frozen=True)
class Known:
    """A peer that can be asked for.

    Attributes
    ----------
    target
        ``module:class``.
    packages
        What has to be there, as it is imported.
    shares
        Name of the peer whose folder it uses, and so what that one has prepared; its own if empty.
    """

    target: str
    packages: tuple[str, ...] = ()
    shares: str = ""

    @property
    def absent(self) -> str | None:
        """What is missing and which command brings it, as a line for people; None where all is there."""
        missing = [name for name in self.packages if find_spec(name) is None]
        return f"not installed: {', '.join(missing)}. Run: {INSTALL}" if missing else None


_HERE = "engine_bench.peers"
_OPENVINO = ("openvino", "nncf", "torch", "transformers")
PEERS = {
    OURS: Known(f"{_HERE}.ours:Ours"),
    EXACT: Known(f"{_HERE}.ours:OursExact"),
    ONE_WORKER: Known(f"{_HERE}.ours:OursOneWorker"),
    OPENVINO: Known(f"{_HERE}.openvino:OpenvinoInt8", _OPENVINO),
    "openvino-int8-f32": Known(f"{_HERE}.openvino:OpenvinoInt8Exact", _OPENVINO, shares=OPENVINO),
    "openvino-bf16": Known(f"{_HERE}.openvino:OpenvinoHalf", _OPENVINO),
    "fastembed": Known(f"{_HERE}.fastembed:Fastembed", ("fastembed", "onnx")),
    "sentence-torch": Known(f"{_HERE}.sentence:SentenceTorch", ("sentence_transformers", "torch")),
    "sentence-onnx-int8": Known(f"{_HERE}.sentence:SentenceOnnx", ("sentence_transformers", "optimum")),
    "ctranslate2-int8": Known(f"{_HERE}.ctranslate:Ctranslate", ("ctranslate2", "transformers")),
    "onnxruntime-int8": Known(f"{_HERE}.plain:PlainDynamic", ("onnx",)),
}
"""All of them, ours first."""

LATENCY = {
    OURS: Known(f"{_HERE}.ours:Ours", shares=OURS),
    OPENVINO: Known(f"{_HERE}.openvino:OpenvinoInt8Latency", _OPENVINO, shares=OPENVINO),
}
"""Those that are asked for one text at a time as well, in the form that is meant for it."""


def chosen(names: Sequence[str]) -> dict[str, Known]:
    """The peers `names`, with ours among them, to which all others are compared; all of them if none is named.

    Raises
    ------
    UsageError
        A name is not known.
    """
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise UsageError(f"unknown peer '{', '.join(unknown)}'. Choose from {', '.join(PEERS)}.")
    return {name: known for name, known in PEERS.items() if not names or name in names or name == OURS}
