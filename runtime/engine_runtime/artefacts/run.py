"""The run: a trained item head and refiner, with what was learned beside the weights. Written by train alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engine_runtime.artefacts.dataset import Scale
from engine_runtime.artefacts.labels import LABELS_FILE, LabelInfo
from engine_runtime.artefacts.manifest import Manifest, open_artefact

KIND = "run"
WEIGHTS_FILE = "model.safetensors"
CONCEPTS_FILE = "concepts.json"
ITEMS_FILE = "items.parquet"
SUCCESSORS_FILE = "successors.npz"
VECTORS_FILE = "vectors.npy"
LOG_FILE = "log.jsonl"


@dataclass(frozen=True)
class RefinerShape:
    """Sizes that determine the refiner's graph.

    Attributes
    ----------
    text_dim
        Width of the encoder's vector.
    white_dim
        Directions kept by the whitening.
    dim
        Width of item vectors and of the query.
    n_blocks, n_heads
        Of the causal Transformer.
    max_events
        Newest events of a history that are read.
    n_types
        Event types known.
    n_concepts
        Width of the profile.
    """

    text_dim: int
    white_dim: int
    dim: int
    n_blocks: int
    n_heads: int
    max_events: int
    n_types: int
    n_concepts: int


@dataclass(frozen=True)
class Fusion:
    """How two rankings become one; fitted on validation.

    ``score = softmax(<q, e>) + weight * rule``: the softmax is over the candidates, the rule is the decayed sum of
    the successor table's rows for the newest events, scaled to sum to 1 over the candidates.

    Attributes
    ----------
    weight
        Of the rule; 0 leaves the model alone.
    decay
        Factor from one event to the one before it.
    n_events
        Newest events that the rule looks at.
    n_candidates
        Candidates taken from the search on the query vector.
    """

    weight: float
    decay: float
    n_events: int
    n_candidates: int

    def without_rule(self) -> Fusion:
        """The model's ranking alone."""
        return replace(self, weight=0.0)


@dataclass(frozen=True)
class RunInfo:
    """What is known of a run.

    Attributes
    ----------
    shape
        Sizes of the model.
    settings
        The training settings, by name, derived ones included.
    encoder_path, dataset_path
        Where its parents were; their digests are what is checked.
    precision
        Encoder variant whose vectors it was trained on.
    value, gap
        Scales of the inputs, from the data set.
    event_types, event_weights
        From the data set; the order numbers the types.
    fusion
        Fitted on validation.
    validation
        Metrics of the best epoch, by name.
    epochs
        Epochs run, and the best among them.
    best_epoch
        Counted from 1.
    train_seconds
        Wall time of training, without encoding.
    labels
        Attributes of users that are predicted; empty where no head was asked for, and then there is no file of them.
    """

    shape: RefinerShape
    settings: dict[str, float | int | str | bool]
    encoder_path: str
    dataset_path: str
    precision: str
    value: Scale
    gap: Scale
    event_types: tuple[str, ...]
    event_weights: tuple[float, ...]
    fusion: Fusion
    validation: dict[str, float]
    epochs: int
    best_epoch: int
    train_seconds: float
    labels: tuple[LabelInfo, ...] = ()


@dataclass(frozen=True)
class Run:
    """A trained run on disk."""

    root: Path
    manifest: Manifest
    info: RunInfo

    @classmethod
    def open(cls, root: Path, *, verify: bool = True) -> Run:
        """Open and verify the run in `root`; raises `ArtefactError`."""
        manifest, info = open_artefact(root, KIND, RunInfo, verify=verify)
        return cls(root, manifest, info)

    @property
    def weights(self) -> Path:
        """Weights of the item head and the refiner."""
        return self.root / WEIGHTS_FILE

    @property
    def concepts(self) -> Path:
        """Names and keywords of the concepts, in order: a list of ``{"name", "keywords"}``."""
        return self.root / CONCEPTS_FILE

    @property
    def items(self) -> Path:
        """Column ``item_id``: row i is row i of the residuals and of the successor table."""
        return self.root / ITEMS_FILE

    @property
    def successors(self) -> Path:
        """The successor table: arrays ``offsets`` int64 [n + 1], ``items`` int32, ``weights`` float32."""
        return self.root / SUCCESSORS_FILE

    @property
    def vectors(self) -> Path:
        """Item vectors as trained: float32 [items, dim], residuals added."""
        return self.root / VECTORS_FILE

    @property
    def labels(self) -> Path:
        """Weights of the label heads, where `info.labels` names any; see `engine_runtime.profile.labels`."""
        return self.root / LABELS_FILE
