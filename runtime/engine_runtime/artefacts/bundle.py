"""The bundle: what serving needs of a model, as graphs and tables. Written by export, read by the runtime."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine_runtime.artefacts.dataset import Scale
from engine_runtime.artefacts.encoder import EncoderInfo, graph_file
from engine_runtime.artefacts.labels import LABELS_FILE, LabelInfo
from engine_runtime.artefacts.manifest import Manifest, open_artefact
from engine_runtime.artefacts.run import Fusion, RefinerShape

KIND = "bundle"
TOKENIZER_FILE = "tokenizer.json"
CONCEPTS_FILE = "concepts.json"
ITEMS_FILE = "items.parquet"
RESIDUALS_FILE = "residuals.npy"
SUCCESSORS_FILE = "successors.npz"
QUERY_FILE = "query.npz"
CENTRES_FILE = "centres.npy"
PARITY_FILE = "parity.json"


@dataclass(frozen=True)
class BundleInfo:
    """What is known of a bundle.

    Attributes
    ----------
    encoder
        The text encoder inside it; its graphs have a second output ``item`` [batch, dim] float32.
    shape
        Sizes of the refiner.
    precisions
        Variants present, best for a CPU first.
    precision
        The variant that the refiner was trained on; "auto" takes it where the machine can run it.
    value, gap
        Scales of the refiner's inputs.
    event_types, event_weights
        The order numbers the types.
    fusion
        How rankings are fused.
    recipe
        How the quantized refiner was made, for people.
    labels
        Attributes of users that are predicted; empty where the run has no label heads.
    """

    encoder: EncoderInfo
    shape: RefinerShape
    precisions: tuple[str, ...]
    precision: str
    value: Scale
    gap: Scale
    event_types: tuple[str, ...]
    event_weights: tuple[float, ...]
    fusion: Fusion
    recipe: dict[str, str]
    labels: tuple[LabelInfo, ...] = ()


@dataclass(frozen=True)
class Bundle:
    """An exported bundle on disk."""

    root: Path
    manifest: Manifest
    info: BundleInfo

    @classmethod
    def open(cls, root: Path, *, verify: bool = True) -> Bundle:
        """Open and verify the bundle in `root`; raises `ArtefactError`."""
        manifest, info = open_artefact(root, KIND, BundleInfo, verify=verify)
        return cls(root, manifest, info)

    @property
    def tokenizer(self) -> Path:
        """The encoder's tokenizer."""
        return self.root / TOKENIZER_FILE

    @property
    def concepts(self) -> Path:
        """Names and keywords of the concepts, in order."""
        return self.root / CONCEPTS_FILE

    @property
    def items(self) -> Path:
        """Columns ``item_id`` and ``trained``: the training's catalogue, row by row as in residuals and successors."""
        return self.root / ITEMS_FILE

    @property
    def residuals(self) -> Path:
        """The id residuals: float32 [items, dim], added to an item's text vector; a new item has none."""
        return self.root / RESIDUALS_FILE

    @property
    def successors(self) -> Path:
        """The successor table: arrays ``offsets`` int64 [n + 1], ``items`` int32, ``weights`` float32."""
        return self.root / SUCCESSORS_FILE

    @property
    def query(self) -> Path:
        """How the refiner joins profile and newest state in a query; absent from bundles of before explanations."""
        return self.root / QUERY_FILE

    @property
    def centres(self) -> Path:
        """Centres of the concepts among whitened texts: float32 [C, w]; absent from bundles of before corrections."""
        return self.root / CENTRES_FILE

    @property
    def labels(self) -> Path:
        """Weights of the label heads, where `info.labels` names any."""
        return self.root / LABELS_FILE

    @property
    def parity(self) -> Path:
        """The parity report."""
        return self.root / PARITY_FILE

    def encoder(self, precision: str) -> Path:
        """Encoder graph of one variant: tokens -> ``text``, ``item``."""
        return self.root / graph_file(precision)

    def refiner(self, precision: str) -> Path:
        """Refiner graph of one variant; see `engine_runtime.inference.refiner` for its inputs and outputs."""
        return self.root / refiner_file(precision)


def refiner_file(precision: str) -> str:
    """Name of the refiner graph of one variant."""
    return f"refiner.{precision}.onnx"
