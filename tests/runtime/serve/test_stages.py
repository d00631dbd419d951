"""Where the time of a run went."""

from __future__ import annotations

import pytest

from engine_runtime.serve.stages import Stages


def test_stages_add_up() -> None:
    """A stage entered twice is one sum, counted though it fails."""
    stages = Stages()
    for _ in range(2):
        with stages.timed("read"):
            pass
    with pytest.raises(ValueError, match="x"), stages.timed("write"):
        raise ValueError("x")
    assert set(stages.seconds) == {"read", "write"}
    assert all(seconds >= 0 for seconds in stages.seconds.values())
    assert set(stages.cpu_seconds) == {"read", "write"}
    assert all(seconds >= 0 for seconds in stages.cpu_seconds.values())


def test_what_processes_did_is_one_sum() -> None:
    """Seconds are added up stage by stage, and users with them."""
    stages = Stages({"read": 1.0, "rank": 2.0}, {"rank": 1.5}, users=3)
    stages.merge(Stages({"rank": 4.0, "write": 0.5}, {"rank": 4.0}, users=5))
    assert stages.seconds == {"read": 1.0, "rank": 6.0, "write": 0.5}
    assert stages.cpu_seconds == {"rank": 5.5}
    assert stages.users == 8


def test_the_slowest_stage_is_a_floor() -> None:
    """A run cannot take less than its slowest stage shared by its processes; how busy CPUs were is a share."""
    stages = Stages({"refine": 2.0, "rank": 6.0}, {"refine": 2.0, "rank": 4.0}, processes=2, cpus=2)
    assert (stages.slowest, stages.floor, stages.busy(4.0)) == ("rank", 3.0, 0.75)
    assert (Stages().slowest, Stages().floor) == ("", 0.0)
