"""Tiny graphs, a tiny tokenizer, a small shop and what is made of them: all that serving needs, in milliseconds."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import tokenizers
from onnx import TensorProto, helper, numpy_helper

from engine_runtime.artefacts import bundle as layout
from engine_runtime.artefacts.bundle import Bundle, BundleInfo
from engine_runtime.artefacts.dataset import Scale
from engine_runtime.artefacts.encoder import EncoderInfo, graph_file
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.run import Fusion, RefinerShape
from engine_runtime.artefacts.writing import drafting
from engine_runtime.profile.contributions import QueryHead
from engine_runtime.search.building import IndexSettings
from engine_runtime.search.successors import SuccessorTable
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.indexing import make_index
from shops import Shop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine_runtime.artefacts.dataset import Dataset

Floats = npt.NDArray[np.float32]

WORDS = ("red", "green", "blue", "small", "large", "tea", "cup", "pot", "spoon", "plate", "lamp", "chair")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
EVENT_TYPES = ("view", "buy")
SHAPE = RefinerShape(
    text_dim=8, white_dim=8, dim=6, n_blocks=1, n_heads=1, max_events=5, n_types=len(EVENT_TYPES), n_concepts=7
)
ENCODER = EncoderInfo(
    source="tiny",
    weights="0" * 64,
    dim=SHAPE.text_dim,
    max_tokens=8,
    pad_token=0,
    precisions=("int8", "fp32"),
    requires={"int8": ("no_such_feature",), "fp32": ()},
    pooling="mean",
    recipe={},
)
FUSION = Fusion(weight=0.5, decay=0.7, n_events=3, n_candidates=8, text_weight=0.5, bonus=0.1)
BUNDLE = BundleInfo(
    encoder=ENCODER,
    shape=SHAPE,
    precisions=ENCODER.precisions,
    precision="fp32",
    value=Scale(3.0, 2.0, False),
    gap=Scale(8.0, 2.0, True),
    event_types=EVENT_TYPES,
    event_weights=(1.0, 2.0),
    fusion=FUSION,
    recipe={},
)
PARITY = '{"n_texts": 0, "n_users": 0, "limits": {}}'
"""The parity report of a bundle that has float32 alone to show."""

CONFIG = """
[events]
user = "user"
item = "item"
type = "type"
order = "place"
unknown_order = -1
time = "time"
value = "value"
quantity = "quantity"
price = "price"
[event_types]
view = 1.0
buy = 2.0
[items]
id = "id"
text = "{title}"
title = "title"
brand = "brand"
price = "price"
not_ranked = "hidden.*"
[users]
id = "user"
attributes = ["sex", "age"]
[ingest]
buckets = 3
"""


def write_tokenizer(path: Path) -> Path:
    """Write a tokenizer of whole words, each text between [CLS] and [SEP]."""
    numbered = {word: number for number, word in enumerate((*SPECIAL, *WORDS))}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(numbered, unk_token="[UNK]"))  # noqa: S106
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", [("[CLS]", 2), ("[SEP]", 3)]
    )
    made.save(str(path))
    return path


def weights(name: str, *shape: int) -> Floats:
    """Numbers that depend on their name alone."""
    seed = int.from_bytes(name.encode(), "little") % 2**32
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def encoder_graph(*, item: bool = True, spoil: float = 1.0) -> bytes:
    """``text``, the mean of token embeddings, and ``item``, a projection of it before it; all times `spoil`."""
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["embedded"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["embedded", "wide"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "second"], ["summed"], keepdims=0),
        helper.make_node("ReduceL2", ["summed"], ["length"], axes=[1]),
        helper.make_node("Max", ["length", "least"], ["divisor"]),
        helper.make_node("Div", ["summed", "divisor"], ["unit"]),
        helper.make_node("Mul", ["unit", "spoil"], ["text"]),
        helper.make_node("MatMul", ["text", "project"], ["learned"]),
        helper.make_node("Concat", ["learned", "text"], ["item"], axis=1),
    ]
    constants: dict[str, npt.NDArray[Any]] = {
        "table": weights("table", len(SPECIAL) + len(WORDS), SHAPE.text_dim),
        "last": np.array([-1], np.int64),
        "second": np.array([1], np.int64),
        "least": np.array(1e-12, np.float32),
        "spoil": np.array(spoil, np.float32),
        "project": weights("project", SHAPE.text_dim, SHAPE.dim),
    }
    inputs: dict[str, tuple[int, list[str | int]]] = {
        "input_ids": (TensorProto.INT64, ["b", "t"]),
        "attention_mask": (TensorProto.INT64, ["b", "t"]),
    }
    outputs: dict[str, list[str | int]] = {"text": ["b", SHAPE.text_dim]}
    if item:
        outputs["item"] = ["b", SHAPE.item_dim]
    return _model(nodes if item else nodes[:-2], inputs, outputs, constants)


def encoded(texts: Sequence[str], space: str = "text") -> Floats:
    """What the encoder's graph computes, word by word."""
    table, rows = weights("table", len(SPECIAL) + len(WORDS), SHAPE.text_dim), []
    for text in texts:
        words = [4 + WORDS.index(word) if word in WORDS else 1 for word in text.split()]
        summed = table[[2, *words[: ENCODER.max_tokens - 2], 3]].sum(axis=0)
        rows.append(summed / np.linalg.norm(summed))
    unit = np.array(rows, np.float32).reshape(-1, SHAPE.text_dim)
    return unit if space == "text" else np.concatenate((unit @ weights("project", SHAPE.text_dim, SHAPE.dim), unit), 1)


def refiner_graph(*, spoil: float = 1.0) -> bytes:
    """``last_state``, the mean of vectors with types, values and gaps; ``profile``, the mean of softmaxes ``concepts``.

    ``query`` is the norm of the state and what the profile adds to it, times `spoil`.
    """
    nodes = [
        helper.make_node("Gather", ["type_table", "types"], ["typed"]),
        helper.make_node("Unsqueeze", ["values", "last"], ["wide_values"]),
        helper.make_node("Mul", ["wide_values", "value_weight"], ["valued"]),
        helper.make_node("Unsqueeze", ["gaps", "last"], ["wide_gaps"]),
        helper.make_node("Mul", ["wide_gaps", "gap_weight"], ["gapped"]),
        helper.make_node("Sum", ["vectors", "typed", "valued", "gapped"], ["events"]),
        helper.make_node("ReduceMean", ["events"], ["last_state"], axes=[0], keepdims=0),
        helper.make_node("MatMul", ["events", "decoder"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["concepts"], axis=-1),
        helper.make_node("ReduceMean", ["concepts"], ["profile"], axes=[0], keepdims=0),
        helper.make_node("MatMul", ["profile", "pull"], ["pulling"]),
        helper.make_node("Add", ["last_state", "pulling"], ["pulled"]),
        helper.make_node("LayerNormalization", ["pulled", "norm_weight", "norm_bias"], ["normed"], epsilon=EPSILON),
        helper.make_node("Mul", ["normed", "spoil"], ["query"]),
    ]
    constants: dict[str, npt.NDArray[Any]] = {
        **{name: weights(name, *shape) for name, shape in (REFINER_WEIGHTS | HEAD_WEIGHTS).items()},
        "last": np.array([-1], np.int64),
        "spoil": np.array(spoil, np.float32),
    }
    inputs: dict[str, tuple[int, list[str | int]]] = {
        "vectors": (TensorProto.FLOAT, ["t", "b", SHAPE.dim]),
        "types": (TensorProto.INT64, ["t", "b"]),
        "values": (TensorProto.FLOAT, ["t", "b"]),
        "gaps": (TensorProto.FLOAT, ["t", "b"]),
    }
    outputs: dict[str, list[str | int]] = {
        "query": ["b", SHAPE.dim],
        "profile": ["b", SHAPE.n_concepts],
        "concepts": ["t", "b", SHAPE.n_concepts],
        "last_state": ["b", SHAPE.dim],
    }
    return _model(nodes, inputs, outputs, constants)


REFINER_WEIGHTS = {
    "type_table": (SHAPE.n_types, SHAPE.dim),
    "value_weight": (SHAPE.dim,),
    "gap_weight": (SHAPE.dim,),
    "decoder": (SHAPE.dim, SHAPE.n_concepts),
}
HEAD_WEIGHTS = {"pull": (SHAPE.n_concepts, SHAPE.dim), "norm_weight": (SHAPE.dim,), "norm_bias": (SHAPE.dim,)}
EPSILON = 1e-5


def query_head() -> QueryHead:
    """How the refiner's graph makes a query."""
    pull, weight, bias = (weights(name, *shape) for name, shape in HEAD_WEIGHTS.items())
    return QueryHead(pull, weight, bias, np.array(EPSILON))


def refined(vectors: Floats, types: Sequence[int], values: Floats, gaps: Floats) -> tuple[Floats, Floats]:
    """What the refiner's graph computes of one user's events: the query, and p'_t of each event."""
    held = {name: weights(name, *shape) for name, shape in REFINER_WEIGHTS.items()}
    events = vectors + held["type_table"][list(types)]
    events = events + values[:, None] * held["value_weight"] + gaps[:, None] * held["gap_weight"]
    grown = np.exp(events @ held["decoder"])
    concepts = grown / grown.sum(axis=1, keepdims=True)
    head = query_head()
    pulled = events.mean(axis=0) + concepts.mean(axis=0) @ head.pull
    normed = (pulled - pulled.mean()) / np.sqrt(pulled.var() + EPSILON)
    return (normed * head.weight + head.bias).astype(np.float32), concepts


def _model(
    nodes: list[Any],
    inputs: Mapping[str, tuple[int, Sequence[str | int]]],
    outputs: Mapping[str, Sequence[str | int]],
    constants: Mapping[str, npt.NDArray[Any]],
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def table_of(rows: Sequence[dict[int, float]]) -> SuccessorTable:
    """A successor table from plain rows, the start row last."""
    return SuccessorTable(
        offsets=np.cumsum([0, *map(len, rows)]).astype(np.int64),
        items=np.array([item for row in rows for item in row], np.int32),
        weights=np.array([weight for row in rows for weight in row.values()], np.float32),
    )


def random_table(n_items: int, seed: int = 0, size: int = 4) -> SuccessorTable:
    """A successor table with `size` entries a row; the first row is empty."""
    generator = np.random.default_rng(seed)
    rows: list[dict[int, float]] = [{}]
    for _ in range(n_items):
        chosen = generator.choice(n_items, min(size, n_items), replace=False)
        rows.append(
            {int(item): float(weight) for item, weight in zip(chosen, generator.random(size) + 0.1, strict=False)}
        )
    return table_of(rows)


def write_bundle(target: Path, trained_ids: Sequence[str], info: BundleInfo = BUNDLE, **files: bytes) -> Bundle:
    """Write a bundle; `files` take the place of what would be under such a name, its dots as underscores."""
    count = len(trained_ids)
    with drafting(target, layout.KIND) as draft:
        write_tokenizer(draft.path / layout.TOKENIZER_FILE)
        for precision in info.precisions:
            (draft.path / graph_file(precision)).write_bytes(encoder_graph())
            (draft.path / layout.refiner_file(precision)).write_bytes(refiner_graph())
        names = [{"name": f"concept {number}", "keywords": []} for number in range(SHAPE.n_concepts)]
        (draft.path / layout.CONCEPTS_FILE).write_text(json.dumps(names))
        columns = {"item_id": pa.array(trained_ids, pa.string()), "trained": pa.array([True] * len(trained_ids))}
        pq.write_table(pa.table(columns), draft.path / layout.ITEMS_FILE)
        np.save(draft.path / layout.RESIDUALS_FILE, weights("residuals", count, SHAPE.dim) / 10)
        random_table(count).save(draft.path / layout.SUCCESSORS_FILE)
        query_head().save(draft.path / layout.QUERY_FILE)
        np.save(draft.path / layout.CENTRES_FILE, weights("centres", SHAPE.n_concepts, SHAPE.white_dim))
        (draft.path / layout.PARITY_FILE).write_text(PARITY)
        for name, content in files.items():
            (draft.path / name.replace("_", ".")).write_bytes(content)
        draft.seal(info, {"run": "1" * 64})
    return Bundle.open(target)


@dataclass(frozen=True)
class Item:
    """An item of the small shop."""

    id: str
    title: str
    brand: str
    price: str

    @property
    def row(self) -> str:
        """Its line in the item file."""
        return f"{self.id},{self.title},{self.brand},{self.price}\n"


def shop_items(count: int = 30) -> list[Item]:
    """Items with words, brands and prices; some without a brand, a price or a text, two that are never recommended."""
    generator = np.random.default_rng(1)
    items = []
    for number in range(count):
        title = " ".join(generator.choice(WORDS, 1 + number % 4, replace=False))
        brand = ("", "Ada", "Bell", "Cray")[number % 4]
        items.append(Item(f"i{number:02d}", title, brand, "" if number % 7 == 0 else f"{1 + number / 2}"))
    items[3] = replace(items[3], title="")
    items[2] = replace(items[0], id="i02")  # the same text
    return [*items, Item("hidden1", "large lamp", "Ada", "9"), Item("hidden2", "small pot", "", "2")]


def shop_events(items: Sequence[Item], users: int = 25) -> str:
    """Histories of different lengths, with unordered events, returned goods, and events without a time."""
    generator = np.random.default_rng(2)
    lines = ["user,item,type,place,time,value,quantity,price"]
    for user in range(users):
        moment = 1_600_000_000 + int(generator.integers(0, 10_000_000))
        for place in range(user % 9):
            item = items[int(generator.integers(0, len(items)))].id
            moment += int(generator.integers(60, 1_000_000))
            bought = generator.random() < 0.5
            value = "" if generator.random() < 0.3 else str(generator.integers(1, 6))
            unit = f"{generator.integers(-2, 5) or 1},{generator.random() * 20:.2f}" if bought else ","
            time = "" if user == 4 else moment
            unplaced = place == 0 and user in {5, 10, 19}
            lines.append(
                f"u{user:02d},{item},{'buy' if bought else 'view'},{-1 if unplaced else place},{time},{value},{unit}"
            )
    return "\n".join(lines) + "\n"


UNPLACED = "user,item,type,place,time,value,quantity,price\nu01,i05,view,-1,,,,\n"
"""An event file whose only event has neither a time nor a place in a history."""


def ingest_shop(folder: Path, items: Sequence[Item] | None = None, events: str | None = None) -> Dataset:
    """A data set of the small shop in `folder`; users are u00 to u24 and one of whom only the age is known."""
    items = shop_items() if items is None else items
    users = "user,sex,age\nu01,f,31\nu02,,40\nidle,,17\n"
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = "id,title,brand,price\n" + "".join(item.row for item in items)
    return Shop(folder).ingest(shop_events(items) if events is None else events, catalogue, users, CONFIG)


@dataclass(frozen=True)
class World:
    """A bundle, a data set and an index of the small shop: all that a command needs."""

    root: Path
    bundle: Bundle
    dataset: Dataset
    index: IndexArtefact

    def engine(self, threads: int = 1) -> Engine:
        """The bundle with the index, loaded."""
        return Engine.load(self.bundle.root, self.index.root, threads=threads)

    @property
    def options(self) -> list[str]:
        """Options of a command that serves."""
        return [f"--bundle={self.bundle.root}", f"--index={self.index.root}", f"--events={self.dataset.root}"]


TRAINED = [item.id for item in reversed(shop_items())][:-4]
"""Ids seen in training: all but the first four items, in another order than the catalogue's."""


def make_world(root: Path) -> World:
    """Make all in `root`."""
    bundle = write_bundle(root / "bundle", TRAINED)
    dataset = ingest_shop(root / "shop")
    index = make_index(Engine.load(bundle.root, threads=1), dataset, root / "index", IndexSettings())
    return World(root, bundle, dataset, index)
