"""A small shop whose customers have attributes, served: ``sex`` follows from what they buy, ``coin`` from nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts import output as layout
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.output import Output
from engine_runtime.artefacts.writing import drafting
from engine_runtime.profile.pseudonyms import pseudonym
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.indexing import make_index
from shops import Shop
from tiny import CONFIG, TRAINED, shop_items, write_bundle

KEY = b"a key that only the auditor has."
CUSTOMERS = 180
ITEMS = 30
AUDITED = CONFIG.replace('["sex", "age"]', '["sex", "coin"]')


@dataclass(frozen=True)
class Audited:
    """All that an audit reads."""

    root: Path
    bundle: Bundle
    dataset: Dataset
    index: IndexArtefact
    output: Output

    @property
    def options(self) -> list[str]:
        """Options of the command."""
        return [f"--events={self.dataset.root}", f"--bundle={self.bundle.root}", f"--index={self.index.root}"]

    def engine(self) -> Engine:
        """The bundle with the index."""
        return Engine.load(self.bundle.root, self.index.root, threads=1)

    def rewritten(self, target: Path, change: Callable[[pa.Table], pa.Table]) -> Path:
        """A copy of the output whose rows `change` has made; as a released output it names the output alone."""
        with drafting(target, layout.KIND) as draft:
            (draft.path / layout.USERS_FOLDER).mkdir()
            for part in range(self.output.info.n_parts):
                pq.write_table(change(pq.read_table(self.output.part(part))), draft.path / layout.part_file(part))
            draft.seal(self.output.info, {layout.KIND: self.output.manifest.digest})
        return target


def make_audited(root: Path) -> Audited:
    """Make all in `root`."""
    bundle = write_bundle(root / "bundle", TRAINED)
    dataset = ingest_customers(root / "shop", 0, CUSTOMERS)
    index = make_index(Engine.load(bundle.root, threads=1), dataset, root / "index", IndexSettings(method="exact"))
    output, _ = serve_batch(Engine.load(bundle.root, index.root, threads=1), dataset, root / "output")
    return Audited(root, bundle, dataset, index, output)


def ingest_customers(folder: Path, first: int, count: int) -> Dataset:
    """A data set of customers numbered from `first` on: women buy of one half of the shop, men of the other."""
    generator = np.random.default_rng(first)
    items = [item.id for item in shop_items(ITEMS)]
    events, users = ["user,item,type,place,time,value,quantity,price"], ["user,sex,coin"]
    for number in range(first, first + count):
        woman = number % 2
        users.append(f"c{number:03d},{'mf'[woman]},{'heads' if generator.random() < 0.5 else 'tails'}")
        for place in range(int(generator.integers(4, 12))):
            half = woman if generator.random() < 0.9 else 1 - woman
            item = items[int(generator.integers(ITEMS // 2)) + ITEMS // 2 * half]
            moment = 1_600_000_000 + int(generator.integers(100_000)) + 1_000_000 * place
            events.append(f"c{number:03d},{item},buy,{place},{moment},,1,{3 + place}")
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = "id,title,brand,price\n" + "".join(item.row for item in shop_items(ITEMS))
    return Shop(folder).ingest("\n".join(events), catalogue, "\n".join(users), AUDITED)


def renamed(table: pa.Table) -> pa.Table:
    """The same rows under pseudonyms, without attributes."""
    names = [pseudonym(user, KEY) for user in table["user_id"].to_pylist()]
    return table.set_column(0, "user_id", pa.array(names, pa.string())).drop_columns(["basics"])


def noised(table: pa.Table) -> pa.Table:
    """The same users with vectors that say nothing, and no other column."""
    generator = np.random.default_rng([len(table), len(table["user_id"][0].as_py()), table.nbytes])
    columns = {"user_id": table["user_id"].combine_chunks()}
    for name in ("query", "concepts"):
        width = table.schema.field(name).type.list_size
        columns[name] = fixed(generator.normal(size=(len(table), width)).astype(np.float32))
    return pa.table(columns)


def fixed(values: npt.NDArray[np.float32]) -> pa.FixedSizeListArray:
    """Rows as a column of an output."""
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
