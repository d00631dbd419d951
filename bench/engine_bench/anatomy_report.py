"""The anatomy of an encoder as tables; knows results and nothing of how they came about."""

from __future__ import annotations

from engine_bench.anatomy import Anatomy
from engine_bench.report import QUALITY
from engine_bench.sheets import Sheet, quality_cells, times
from engine_bench.statistics import ratios, spread


def sheets(found: Anatomy) -> list[Sheet]:
    """The tables of an anatomy."""
    tables = [_speed(found), _parts(found), _start(found)]
    if found.streamed:
        tables.append(_memory(found))
    return tables


def _speed(found: Anatomy) -> Sheet:
    floor = found.floor
    share = ratios(floor.products, floor.wall)
    rate = floor.operations / spread(floor.products).median / 1e9
    title = (
        f"{found.texts:,} texts, {floor.tokens:,} tokens, {floor.positions:,} with padding; {found.threads} workers; "
        f"{len(floor.wall)} rounds in turn"
    )
    none = ("",) * len(QUALITY)
    rows = (
        ("int8, tokenization included", f"{found.speed.median:,.0f}", times(share), *quality_cells(found.quality)),
        (f"its products alone ({rate:,.0f} GOP/s)", f"{found.products_speed.median:,.0f}", "1.00x", *none),
    )
    return Sheet(title, ("", "tokens/s", "of the floor", *QUALITY), rows)


def _parts(found: Anatomy) -> Sheet:
    rows = tuple((name, f"{share:.1%}") for name, share in found.parts.items())
    return Sheet("where the workers' time goes", ("", "share"), rows)


def _start(found: Anatomy) -> Sheet:
    load, whole = spread([start.load for start in found.starts]), spread([start.whole for start in found.starts])
    rows = tuple(
        (name, f"{figure.median:.2f} [{figure.least:.2f}, {figure.most:.2f}]")
        for name, figure in (
            ("from before tokenizer and session are made", load),
            ("from the start of the process, files verified", whole),
        )
    )
    return Sheet(f"to a first vector in a fresh process, {len(found.starts)} times", ("", "seconds"), rows)


def _memory(found: Anatomy) -> Sheet:
    rows = tuple(
        (f"{streamed.texts:,} texts", f"{streamed.peak / 1e6:,.0f}", f"{streamed.texts / streamed.seconds:,.0f}")
        for streamed in found.streamed
    )
    return Sheet("memory of a fresh process that encodes a stream", ("", "peak MB", "texts/s"), rows)
