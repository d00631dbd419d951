"""What `export` and `build` have in common: two options, and the parity report for people and machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from engine_runtime.commands.console import note, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine_export.parity import ParityReport, RefinerParity, StudentParity, VectorParity
    from engine_runtime.artefacts.bundle import Bundle
    from engine_runtime.artefacts.encoder import EncoderArtefact


def _split(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))


precisions_option = click.option(
    "--precision",
    "precisions",
    default="int8,fp32",
    show_default=True,
    callback=_split,
    help="Variants to write, among int8, fp32 and fp16 (for CUDA), separated by commas.",
)
allow_option = click.option(
    "--allow",
    multiple=True,
    metavar="MEASURE",
    help="Accept a measure of the parity report past its limit, on the record. May be given several times.",
)


def document(artefact: EncoderArtefact | Bundle) -> dict[str, Any]:
    """Describe an exported artefact for machines."""
    return {
        "kind": artefact.manifest.kind,
        "path": str(artefact.root),
        "digest": artefact.manifest.digest,
        "precisions": list(artefact.info.precisions),
        "recipe": artefact.info.recipe,
        "parity": json.loads(artefact.parity.read_bytes()),
    }


def show(artefact: EncoderArtefact | Bundle) -> None:
    """Print an exported artefact for people."""
    from engine_export.parity import read_report

    report = read_report(artefact.parity.read_bytes())
    if rows := _rows(report):
        table(f"Parity with fp32 on {report.n_texts:,} texts, {report.n_users:,} users", COLUMNS, rows)
    for failure in report.failures:
        note(
            f"allowed past its limit: {failure.measure} of {failure.variant} is {failure.value:.4g}, "
            f"the limit is {failure.bar:.4g}"
        )
    sizes = ", ".join(
        f"{name} {record.size / 1e6:.1f} MB"
        for name, record in sorted(artefact.manifest.files.items())
        if name.endswith(".onnx")
    )
    note(f"wrote the {artefact.manifest.kind} {artefact.manifest.digest[:12]} to {artefact.root}: {sizes}")


COLUMNS = ("output", "cosine mean", "1st percentile", "least", "overlap@10", "invariance", "NDCG@10 change")


def _rows(report: ParityReport) -> list[list[str]]:
    rows = []
    outputs: dict[str, Mapping[str, VectorParity | RefinerParity | StudentParity]] = {
        "text": report.text,
        "item": report.item,
        "query": report.refiner,
        "student to teacher": report.student,
        "tuned to untuned": report.tuned,
    }
    for output, variants in outputs.items():
        for variant, found in variants.items():
            change = getattr(found, "ndcg_change", None)
            apart = getattr(found, "invariance", None)
            rows.append(
                [
                    f"{output} {variant}",
                    f"{found.cosine_mean:.4f}",
                    f"{found.cosine_p1:.4f}",
                    f"{found.cosine_min:.4f}",
                    f"{found.overlap:.3f}",
                    "" if apart is None else f"{apart:.0e}",
                    "" if change is None else f"{change:+.2%}",
                ]
            )
    return rows
