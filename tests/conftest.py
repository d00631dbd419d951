"""What holds for all tests: the time of one example says nothing on a shared machine; bad inputs are listed last."""

from __future__ import annotations

from itertools import chain

import hypothesis
import pytest

from end_to_end.command import BAD_INPUT

hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the command line says to bad inputs: the process that reports loads no conftest further down."""
    reports = chain.from_iterable(terminalreporter.stats.values())
    calls = (report for report in reports if getattr(report, "when", None) == "call")
    lines = [said for report in calls for name, said in report.user_properties if name == BAD_INPUT]
    if lines:
        terminalreporter.section("bad inputs, and what the command line says")
    for line in lines:
        terminalreporter.write_line(line)
