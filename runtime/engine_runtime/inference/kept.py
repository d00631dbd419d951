"""What was measured of an encoder on this machine, kept for the next runs: one small JSON file each.

Knows files; knows nothing of how it was measured. What cannot be read is as good as not measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine_runtime.artefacts.writing import write_document
from engine_runtime.home import home

FOLDER = "budgets"


@dataclass(frozen=True)
class KeptBudget:
    """A token budget that was measured.

    Attributes
    ----------
    machine
        Fingerprint of the machine, see `engine_runtime.inference.machine.fingerprint`.
    artefact, precision
        Digest of the encoder or bundle, and its variant.
    budget
        Most positions of a batch.
    rates
        Tokens a second of one thread, by budget.
    """

    machine: str
    artefact: str
    precision: str
    budget: int
    rates: dict[int, float]


def keep_budget(kept: KeptBudget) -> Path:
    """Write what was measured, in place of what was kept before; return the file."""
    path = _path(kept.machine, kept.artefact, kept.precision)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_document(path, kept)
    return path


def kept_budget(machine: str, artefact: str, precision: str) -> int | None:
    """The budget that was measured for a variant of an artefact on a machine; None where none was."""
    kept = _read(_path(machine, artefact, precision))
    return kept.budget if kept and (kept.machine, kept.artefact) == (machine, artefact) else None


def kept_budgets(machine: str) -> list[KeptBudget]:
    """All budgets measured on a machine."""
    found = (_read(path) for path in sorted((home() / FOLDER).glob(f"{machine[:16]}.*.json")))
    return [kept for kept in found if kept and kept.machine == machine]


def _path(machine: str, artefact: str, precision: str) -> Path:
    return home() / FOLDER / f"{machine[:16]}.{artefact[:16]}.{precision}.json"


def _read(path: Path) -> KeptBudget | None:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=KeptBudget)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return kept if kept.budget > 0 else None
