"""How a figure is read out: its label, its unit and its digits, from the name that it has in a record.

Knows the endings that names of figures have; knows nothing of any scenario.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

# Ending of a name, the unit as it is in a record, as it is shown, and the factor between them.
ENDINGS = (
    ("_per_second", "per second", "/s", 1.0),
    ("_seconds", "seconds", "s", 1.0),
    ("_bytes", "bytes", "MB", 1e-6),
    ("_share", "of 1", "%", 100.0),
)
SPELT = {"cpu": "CPU time", "peak": "peak memory", "rss": "memory", "ef": "breadth (ef)"}
# Below which value a unit is too large, and what is shown instead.
SMALLER = {"seconds": (1.0, "ms", 1e3), "bytes": (1e5, "kB", 1e-3)}
THOUSANDS_FROM = 1000
FIXED_FROM = 1e-4


@dataclass(frozen=True)
class Measure:
    """A figure as people read it.

    Attributes
    ----------
    name
        As it is in a record.
    label
        Without its unit.
    base
        Unit in a record.
    unit
        Unit as shown.
    factor
        From the one to the other.
    """

    name: str
    label: str
    base: str
    unit: str
    factor: float

    def text(self, value: float, digits: int = 3) -> str:
        """A value of the record in the unit that is shown, without naming it."""
        return number(value * self.factor, digits)

    @property
    def titled(self) -> str:
        """Label and unit, for an axis or the head of a column."""
        if self.base == "per second":
            return f"{self.label} per second"
        return f"{self.label}, {self.unit}" if self.unit else self.label


def measure(name: str, typical: float) -> Measure:
    """Read a name; going by a `typical` value, short times are shown in milliseconds and few bytes in kilobytes."""
    counted, per, each = name.partition("_per_")
    if per and each != "second":
        one = measure(counted, typical)
        return replace(one, name=name, label=f"{one.label} per {_label(each)}")
    for ending, base, unit, factor in ENDINGS:
        if name.endswith(ending) and name != ending:
            label = _label(name.removesuffix(ending))
            if base in SMALLER and abs(typical) < SMALLER[base][0]:
                return Measure(name, label, base, *SMALLER[base][1:])
            return Measure(name, label, base, unit, factor)
    return Measure(name, _label(name), "", "", 1.0)


def _label(name: str) -> str:
    return " ".join(SPELT.get(word, word) for word in name.split("_"))


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits; whole from 1,000 on, and where it is a whole one."""
    size = abs(value)
    if size >= THOUSANDS_FROM or value == int(value):
        return f"{value:,.0f}"
    if size < FIXED_FROM:
        return f"{value:.1e}"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(size)))}f}"


def short(value: float, digits: int = 4) -> str:
    """A number without zeros at its end."""
    text = number(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def spell(value: float) -> str:
    """A number for a sentence, where seven digits are too many: ``19.8 million``."""
    for size, word in ((1e9, "thousand million"), (1e6, "million")):
        if abs(value) >= size:
            return f"{number(value / size)} {word}"
    return number(value)


def seconds(value: float) -> str:
    """A duration with its unit: ``4.12 ms`` or ``2.50 s``."""
    shown = measure("_x_seconds", value)
    return f"{shown.text(value)} {shown.unit}"
