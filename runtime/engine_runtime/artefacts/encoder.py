"""The encoder artefact: a text encoder exported alone, as ``tokens -> text`` graphs with their tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine_runtime.artefacts.manifest import Manifest, open_artefact

KIND = "encoder"
TOKENIZER_FILE = "tokenizer.json"
PARITY_FILE = "parity.json"


@dataclass(frozen=True)
class StudentInfo:
    """Of what an encoder that was not pretrained itself is a smaller copy, and how far it was trained.

    Attributes
    ----------
    teacher
        Name of the encoder whose vectors it was trained towards.
    layers
        Numbers of the teacher's layers that it began as.
    feed_forward
        Neurons of its feed-forward parts.
    teacher_layers, teacher_feed_forward
        What the teacher has of both.
    steps
        Batches that it was trained on.
    texts
        Texts and parts of texts that it learned from, those held out included.
    held_out_cosine
        Mean cosine of its float32 vectors to the teacher's on texts held out.
    teacher_weights
        SHA-256 of the teacher's weights file.
    """

    teacher: str
    layers: tuple[int, ...]
    feed_forward: int
    teacher_layers: int
    teacher_feed_forward: int
    steps: int
    texts: int
    held_out_cosine: float
    teacher_weights: str


@dataclass(frozen=True)
class TuningInfo:
    """Of what an encoder that was tuned on successions is a changed copy, and how far it was trained.

    Attributes
    ----------
    origin
        Name of the encoder that it was.
    origin_weights
        SHA-256 of that encoder's weights file.
    steps
        Batches that it was trained on.
    items
        Items that it learned from.
    """

    origin: str
    origin_weights: str
    steps: int
    items: int


@dataclass(frozen=True)
class EncoderInfo:
    """What is known of an exported encoder.

    Attributes
    ----------
    source
        Name or directory name that it came from.
    weights
        SHA-256 of the weights file that was exported.
    dim
        Width of the vector `text`.
    max_tokens
        Longer texts are cut to so many tokens, special ones included.
    pad_token
        Id that fills a batch; its positions are masked.
    precisions
        Variants present, best for a CPU first.
    requires
        For each variant, CPU features of which one must be there for it to be exact, or ``cuda`` where it is made for
        CUDA; empty where it runs anywhere.
    pooling
        ``mean`` or ``cls``.
    recipe
        How the quantized variants were made, for people.
    student
        Where it was distilled from another encoder; None for a pretrained one.
    tuning
        Where it was tuned on the histories of a data set; None for a pretrained one.
    """

    source: str
    weights: str
    dim: int
    max_tokens: int
    pad_token: int
    precisions: tuple[str, ...]
    requires: dict[str, tuple[str, ...]]
    pooling: str
    recipe: dict[str, str]
    student: StudentInfo | None = None
    tuning: TuningInfo | None = None


@dataclass(frozen=True)
class EncoderArtefact:
    """An exported text encoder on disk."""

    root: Path
    manifest: Manifest
    info: EncoderInfo

    @classmethod
    def open(cls, root: Path, *, verify: bool = True) -> EncoderArtefact:
        """Open and verify the encoder in `root`; raises `ArtefactError`."""
        manifest, info = open_artefact(root, KIND, EncoderInfo, verify=verify)
        return cls(root, manifest, info)

    @property
    def tokenizer(self) -> Path:
        """The tokenizer, in the format of the `tokenizers` library."""
        return self.root / TOKENIZER_FILE

    @property
    def parity(self) -> Path:
        """The parity report of the quantized variants."""
        return self.root / PARITY_FILE

    def graph(self, precision: str) -> Path:
        """The ONNX graph of one variant: token ids in, ``text`` float32 [batch, dim] out."""
        return self.root / graph_file(precision)


def graph_file(precision: str) -> str:
    """Name of the encoder graph of one variant."""
    return f"encoder.{precision}.onnx"
