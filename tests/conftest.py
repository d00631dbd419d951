"""What holds for all tests: on a shared machine the time of one example says nothing."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")
