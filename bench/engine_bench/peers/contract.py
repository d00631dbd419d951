"""What a peer is given and what it has to do, and the messages that ask for it.

Knows paths and vectors; knows nothing of any library that a peer is made of, or of how it is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.encoder import EncoderArtefact

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Task:
    """What a peer works on.

    Attributes
    ----------
    folder
        The peer's own, for what it makes in `Peer.prepare`; it stays until the run ends.
    encoder
        The exported encoder: tokenizer, pooling and lengths for all peers, graphs for some.
    weights
        Model folder with the weights that the encoder was exported from.
    calibration
        Calls with the texts that ours was calibrated on, for peers that calibrate or try settings; see `write_calls`.
    threads
        Threads that a peer may keep busy.
    """

    folder: str
    encoder: str
    weights: str
    calibration: str
    threads: int

    def artefact(self) -> EncoderArtefact:
        """The exported encoder; who started the run has verified it already."""
        return EncoderArtefact.open(Path(self.encoder), verify=False)

    def calibration_texts(self) -> list[str]:
        """Texts to calibrate on."""
        return [text for texts in read_calls(Path(self.calibration)) for text in texts]

    def made(self, name: str) -> Path:
        """Where the peer keeps what it makes under `name`."""
        return Path(self.folder) / name


class Peer(Protocol):
    """An encoder that is ready to run, made from a `Task` alone.

    Attributes
    ----------
    settings
        How it runs, for people: batches, threads, precision.
    """

    settings: str

    def __init__(self, task: Task) -> None: ...

    @classmethod
    def prepare(cls, task: Task) -> None:
        """Convert, quantize, try settings: once, in a process that then ends, so that its memory is not measured."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors of length 1 of `texts`, from strings: float32 [texts, dim], in their order."""
        ...


@dataclass(frozen=True)
class Request:
    """One line to a child.

    Attributes
    ----------
    do
        ``prepare``, ``load`` or ``encode``.
    task
        With ``prepare`` and ``load``.
    calls
        With ``encode``: file of the texts of each call; see `write_calls`.
    vectors
        With ``encode``: where the vectors of all calls go, one call after another, as .npy; they are dropped if None.
    """

    do: str
    task: Task | None = None
    calls: str | None = None
    vectors: str | None = None


@dataclass(frozen=True)
class Reply:
    """One line from a child.

    Attributes
    ----------
    error
        Why the request failed; None where it did not.
    wall
        After ``encode``: seconds of the clock that each call took.
    cpu
        After ``encode``: seconds of all CPUs together that the calls took.
    peak
        Most memory that the process has had, in bytes; 0 where the system does not tell.
    settings
        After ``load``: those of the peer.
    """

    error: str | None = None
    wall: tuple[float, ...] = ()
    cpu: float = 0.0
    peak: int = 0
    settings: str = ""


def write_calls(path: Path, calls: Sequence[Sequence[str]]) -> str:
    """Write the texts of several calls; a lone surrogate becomes a question mark, as in the engine's tokenizer."""
    valid = [[text.encode("utf-8", "replace").decode() for text in texts] for texts in calls]
    path.write_bytes(msgspec.json.encode(valid))
    return str(path)


def read_calls(path: Path) -> list[list[str]]:
    """Read what `write_calls` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=list[list[str]])


def line(message: Any) -> bytes:
    """A message as the line that it travels as."""
    return msgspec.json.encode(message) + b"\n"
