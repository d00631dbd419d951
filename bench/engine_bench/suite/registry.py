"""Which scenarios there are, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable

from engine_bench.suite.plan import Plan
from engine_bench.suite.record import Row
from engine_bench.suite.scenarios import burst, cold, end_to_end, offline, search, server, single, soak
from engine_bench.suite.subject import Subject

Scenario = Callable[[Subject, Plan], Row]

SCENARIOS: dict[str, Scenario] = {
    single.NAME: single.run,
    offline.NAME: offline.run,
    server.NAME: server.run,
    burst.NAME: burst.run,
    cold.NAME: cold.run,
    search.NAME: search.run,
    end_to_end.NAME: end_to_end.run,
    soak.NAME: soak.run,
}
