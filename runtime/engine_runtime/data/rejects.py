"""Counts of the rows that ingest refused, by reason. Reads ``rejects.parquet``; knows nothing of what is sound."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.schema import REASON
from engine_runtime.errors import ArtefactError

READ_ROWS = 65_536
MOST_REASONS = 20
"""Reasons that are told apart where they leave the data set; the rarer ones are counted together."""
OTHER = "other reasons"


def count_reasons(dataset: Dataset) -> dict[str, int]:
    """Rows refused for each reason, as the rejects word it, the most frequent first; raises `ArtefactError`."""
    counted: Counter[str] = Counter()
    try:
        with pq.ParquetFile(dataset.rejects) as rejects:
            for batch in rejects.iter_batches(READ_ROWS, columns=[REASON]):
                for pair in batch.column(0).value_counts().to_pylist():
                    counted[pair["values"]] += pair["counts"]
    except (OSError, pa.ArrowException) as error:
        raise ArtefactError(f"{dataset.rejects} cannot be read: {error}. Ingest the data set again.") from error
    return _ordered(counted)


def without_quotes(reasons: dict[str, int]) -> dict[str, int]:
    """The same counts for readers outside: no cell of a file is quoted, and the reasons are few.

    A reason may quote what stood in the place of an event type, and with columns shifted that may be anything.
    """
    counted: Counter[str] = Counter()
    for reason, rows in reasons.items():
        counted[reason.partition(" '")[0]] += rows
    ordered = list(_ordered(counted).items())
    kept = dict(ordered[:MOST_REASONS])
    if rest := sum(rows for _, rows in ordered[MOST_REASONS:]):
        kept[OTHER] = rest
    return kept


def _ordered(counted: Counter[str]) -> dict[str, int]:
    return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))
