"""The report of an artefact as a file."""

from __future__ import annotations

import pytest

from engine_export.layers import LayerError
from engine_export.parity import Failure, Limits, ParityReport, RefinerParity, VectorParity, read_report
from engine_runtime.errors import ArtefactError

REPORT = ParityReport(
    100,
    50,
    Limits(),
    {"int8": VectorParity(0.999, 0.99, 0.98, 0.95, 1e-8)},
    refiner={"int8": RefinerParity(1.0, 0.999, 0.99, 0.97, 0.001, 1e-8, 0.1, 0.1, None)},
    layers={"encoder int8": (LayerError("fine", 0.01, 0.8),)},
    failures=(Failure("overlap", "int8 text", 0.8, 0.85),),
    allowed=("overlap",),
)


def test_report_survives_its_file() -> None:
    """A report is read as it was written, and damage is an error of the artefact."""
    assert read_report(REPORT.encode()) == REPORT
    with pytest.raises(ArtefactError, match="not readable"):
        read_report(REPORT.encode()[:-20])
