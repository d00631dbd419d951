"""A run of `serve-batch` as Prometheus reads it: families of samples, and their text. Pure.

The text is version 0.0.4 of Prometheus' exposition format
(https://prometheus.io/docs/instrumenting/exposition_formats). Names carry their unit; counters end in ``_total`` and
begin at 0 with the process. No label holds an identifier of a user or an item.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine_runtime.process import peak_memory
from engine_runtime.serve.watch import Watch

PREFIX = "profile_engine"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Samples = Sequence[tuple[Mapping[str, str], float]]


@dataclass(frozen=True)
class Family:
    """Samples of one name.

    Attributes
    ----------
    name
        Without the program's prefix.
    kind
        A counter only grows while the process lives.
    help
        For people.
    samples
        Labels and value of each.
    """

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: Samples


def families(watch: Watch) -> list[Family]:
    """What a run shows of itself now; lineage and counts once its artefacts are read."""
    peak = peak_memory()
    found = [
        _gauge("run_start_time_seconds", "When the run began, seconds since 1970.", watch.began),
        *(
            []
            if peak is None
            else [_gauge("peak_memory_bytes", "Most memory that the process has had, its workers not counted.", peak)]
        ),
    ]
    return found + _served(watch) if watch.creator else found


def _served(watch: Watch) -> list[Family]:
    lineage = {"creator": watch.creator} | {f"{kind}_digest": digest for kind, digest in watch.parents.items()}
    settings = {name: str(value) for name, value in watch.settings.items()}
    stages = watch.stages
    return [
        Family("run_info", "gauge", "What is served, with what.", [(lineage | settings, 1)]),
        _counter("users_served_total", "Users served by this run.", watch.users),
        _gauge("users_left", "Users that this run has still to serve.", watch.users_left),
        _gauge("users_kept", "Users whose rows an earlier run had finished.", watch.earlier_users),
        _counter("events_served_total", "Events in the parts that this run has finished.", watch.events),
        _counter("parts_finished_total", "Parts of the output that this run has finished.", watch.parts),
        _gauge("parts_left", "Parts of the output that this run has still to finish.", watch.parts_left),
        _by("rejected_rows_total", "Rows refused at ingest.", "reason", watch.rejects),
        _by("stage_wall_seconds_total", "Time in each stage, of all workers together.", "stage", stages.seconds),
        _by("stage_cpu_seconds_total", "CPU time in each stage, of all workers together.", "stage", stages.cpu_seconds),
    ]


def exposition(shown: Iterable[Family]) -> str:
    """The text of some families."""
    lines = []
    for family in shown:
        name = f"{PREFIX}_{family.name}"
        lines += [f"# HELP {name} {_escaped(family.help)}", f"# TYPE {name} {family.kind}"]
        lines += [f"{name}{_labels(labels)} {_number(value)}" for labels, value in family.samples]
    return "".join(f"{line}\n" for line in lines)


def _gauge(name: str, text: str, value: float) -> Family:
    return Family(name, "gauge", text, [({}, value)])


def _counter(name: str, text: str, value: float) -> Family:
    return Family(name, "counter", text, [({}, value)])


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> Family:
    """A counter for each value of a label."""
    return Family(name, "counter", text, [({label: key}, value) for key, value in dict(values).items()])


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    quoted = (f'{name}="{_escaped(value, quote=True)}"' for name, value in labels.items())
    return "{" + ",".join(quoted) + "}"


def _escaped(text: str, *, quote: bool = False) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if quote else escaped


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))
