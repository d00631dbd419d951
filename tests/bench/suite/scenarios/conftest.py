"""A small shop whose bundle has a parity report, as the suite's subject."""

from __future__ import annotations

import pytest

from engine_bench.suite.subject import Subject
from engine_bench.suite.targets import find_target
from engine_export.parity import Limits, ParityReport
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.indexing import make_index
from tiny import TRAINED, ingest_shop, write_bundle


@pytest.fixture(scope="session")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    root = tmp_path_factory.mktemp("subject")
    bundle = write_bundle(root / "bundle", TRAINED, parity_json=ParityReport(20, 10, Limits()).encode())
    dataset = ingest_shop(root / "shop")
    index = make_index(Engine.load(bundle.root, threads=1), dataset, root / "index", IndexSettings())
    return Subject.load(find_target("cpu-any"), bundle.root, index.root, dataset.root)
