"""A run as Prometheus reads it, read back with Prometheus' own parser."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine_runtime.serve import metrics
from engine_runtime.serve.metrics import Family, exposition, families
from engine_runtime.serve.watch import Watch

Read = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> Read:
    """Value of each sample by name and labels; none comes twice."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


@pytest.fixture
def watch() -> Watch:
    watch = Watch(creator="profile-engine 1", parents={"bundle": "b1", "index": "i1", "dataset": "d1"})
    watch.settings = {"top_k": 10, "precision": "int8"}
    watch.users, watch.users_left, watch.earlier_users = 7, 3, 2
    watch.events, watch.parts, watch.parts_left = 70, 1, 2
    watch.rejects = {"user id is missing": 4}
    watch.stages.seconds, watch.stages.cpu_seconds = {"rank": 1.5}, {"rank": 1.25}
    return watch


def test_what_a_run_shows(watch: Watch) -> None:
    """Users, events, parts, rejected rows, seconds of stages, memory and lineage, each with its unit in its name."""
    found = read(exposition(families(watch)))
    lineage = {"creator": "profile-engine 1", "bundle_digest": "b1", "index_digest": "i1", "dataset_digest": "d1"}
    labels = tuple(sorted((lineage | {"top_k": "10", "precision": "int8"}).items()))
    expected = {
        ("profile_engine_run_info", labels): 1,
        ("profile_engine_users_served_total", ()): 7,
        ("profile_engine_users_left", ()): 3,
        ("profile_engine_users_kept", ()): 2,
        ("profile_engine_events_served_total", ()): 70,
        ("profile_engine_parts_finished_total", ()): 1,
        ("profile_engine_parts_left", ()): 2,
        ("profile_engine_rejected_rows_total", (("reason", "user id is missing"),)): 4,
        ("profile_engine_stage_wall_seconds_total", (("stage", "rank"),)): 1.5,
        ("profile_engine_stage_cpu_seconds_total", (("stage", "rank"),)): 1.25,
        ("profile_engine_run_start_time_seconds", ()): watch.began,
    }
    assert expected.items() <= found.items()
    assert found.keys() - expected.keys() == {("profile_engine_peak_memory_bytes", ())}
    assert found["profile_engine_peak_memory_bytes", ()] > 1e6


def test_names_keep_to_the_conventions(watch: Watch) -> None:
    """Each family has its help and its type before its samples; counters, and they alone, end in _total."""
    text = exposition(families(watch))
    for family in families(watch):
        name = f"profile_engine_{family.name}"
        assert re.fullmatch(r"[a-z][a-z_]*[a-z]", name)
        assert f"# HELP {name} {family.help}\n# TYPE {name} {family.kind}\n" in text
        assert name.endswith("_total") == (family.kind == "counter")
    assert text.endswith("\n")


def test_a_run_that_has_not_read_its_artefacts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows when it began and its memory, where that is counted."""
    names = {name for name, _ in read(exposition(families(Watch())))}
    assert names == {"profile_engine_run_start_time_seconds", "profile_engine_peak_memory_bytes"}
    monkeypatch.setattr(metrics, "peak_memory", lambda: None)
    assert [family.name for family in families(Watch())] == ["run_start_time_seconds"]


def test_odd_characters_come_through() -> None:
    """Backslashes, quotes and line ends in labels and helps are escaped as the format asks."""
    odd = 'a "b" \\ c\nd, räksmörgås}'
    text = exposition([Family("x", "gauge", "two\nlines \\ here", [({"reason": odd}, 0.1)])])
    assert read(text) == {("profile_engine_x", (("reason", odd),)): 0.1}
    assert next(iter(text_string_to_metric_families(text))).documentation == "two\nlines \\ here"
    assert len(text.splitlines()) == 3
