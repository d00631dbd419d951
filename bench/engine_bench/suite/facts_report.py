"""The facts as tables; knows their shape alone."""

from __future__ import annotations

from engine_bench.sheets import Sheet
from engine_bench.suite.facts import Facts, Work


def sheets(found: Facts) -> list[Sheet]:
    """Work, nodes and sizes."""
    return [_work(found), _nodes(found), _sizes(found)]


def measures(found: Facts) -> dict[str, str]:
    """What is one number each."""
    return {
        "variant": found.precision,
        "recall@10 of the index": f"{found.recall:.4f}",
        "text alone and among others": f"{found.text_invariance:.1e}",
        "history alone and among others": f"{found.history_invariance:.1e}",
        "bytes of weights, encoder and refiner": f"{found.encoder.weight_bytes:,} and {found.refiner.weight_bytes:,}",
    }


def _work(found: Facts) -> Sheet:
    def row(name: str, work: Work) -> tuple[str, ...]:
        share = 1 - work.real / work.padded
        return name, f"{work.rows:,}", f"{work.batches:,}", f"{work.real:,}", f"{work.padded:,}", f"{share:.2%}"

    columns = ("what", "rows", "batches", "real positions", "computed", "padding")
    return Sheet("work", columns, (row("texts", found.texts), row("histories", found.histories)))


def _nodes(found: Facts) -> Sheet:
    encoder, refiner = found.encoder.nodes, found.refiner.nodes
    rows = tuple(
        (kind, str(encoder.get(kind, 0)), str(refiner.get(kind, 0))) for kind in sorted(encoder.keys() | refiner.keys())
    )
    total = ("all", str(sum(encoder.values())), str(sum(refiner.values())))
    return Sheet("nodes that really run", ("type", "encoder", "refiner"), (*rows, total))


def _sizes(found: Facts) -> Sheet:
    rows = tuple((name, f"{size:,}") for name, size in sorted(found.sizes.items(), key=lambda pair: -pair[1]))
    return Sheet("files", ("file", "bytes"), rows)
