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
NEWCOMERS_FILE = "newcomers.npz"


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
        Width of what the refiner reads and asks with.
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

    @property
    def item_dim(self) -> int:
        """Width of an item's vector: `dim` that are learned, then the direction of its whitened text."""
        return self.dim + self.white_dim


@dataclass(frozen=True)
class Fusion:
    """How two rankings become one; fitted on validation.

    ``score = <q, e> + text_weight * <m, y> + weight * log(1 + rule / floor) + bonus``: y is the direction of an item's
    whitened text, m the decayed mean of those of the newest events, so one search finds the best by both. The rule is
    the decayed sum of the successor table's rows for the newest events, as counted, so that what was seen once says
    little and what was seen often much. The bonus is that of new items. A sum of logarithms lets each have a say in
    every place, where a sum of probabilities leaves the top to the one that is surer.

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
    floor
        Count of the rule below which it says little.
    text_weight, text_decay
        Of the texts' likeness; the factor from one event to the one before it.
    bonus
        Added to the score of an item that training has not seen: such items were never held up against others.
    """

    weight: float
    decay: float
    n_events: int
    n_candidates: int
    text_weight: float = 0.0
    text_decay: float = 0.8
    floor: float = 0.3
    bonus: float = 0.0

    def alone(self) -> Fusion:
        """The model's ranking alone, new items without help."""
        return replace(self, weight=0.0, text_weight=0.0, bonus=0.0)


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
        """Columns ``item_id`` and ``trained``: row i is row i of the residuals and of the successor table."""
        return self.root / ITEMS_FILE

    @property
    def successors(self) -> Path:
        """The successor table: arrays ``offsets`` int64 [n + 1], ``items`` int32, ``weights`` float32."""
        return self.root / SUCCESSORS_FILE

    @property
    def vectors(self) -> Path:
        """Item vectors as an index has them: float32 [items, dim], residuals added; see `search.newcomers`."""
        return self.root / VECTORS_FILE

    @property
    def newcomers(self) -> Path:
        """Items of the catalogue that training has not seen, and their neighbours; see `search.newcomers`."""
        return self.root / NEWCOMERS_FILE

    @property
    def labels(self) -> Path:
        """Weights of the label heads, where `info.labels` names any; see `engine_runtime.profile.labels`."""
        return self.root / LABELS_FILE
