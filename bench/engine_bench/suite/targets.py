"""Hardware targets: what a machine must have, and what then runs there, with how much and how well it has to serve.

A target is a TOML file, of the package (`PACKAGED`) or the user's own. Knows the files and the machine's card; knows
nothing of scenarios or of bundles but the names of variants.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import resources
from pathlib import Path
from typing import Annotated

import msgspec

from engine_bench.suite.card import Card
from engine_runtime.errors import MachineError, UsageError
from engine_runtime.inference.session import Provider

AUTO = "auto"

PACKAGED = ("cuda", "cpu-vnni", "cpu-arm", "cpu-avx2", "cpu-any")
"""Targets that come with the suite; `AUTO` takes the first that fits."""

Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Needs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section ``[needs]``: what the machine must have beside a device for the provider.

    Attributes
    ----------
    all_of, any_of, none_of
        CPU features as Linux names them (``apple`` for Apple's): all of the first, one of the second, none of the
        third.
    """

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()

    def unmet(self, card: Card) -> tuple[str, ...]:
        """Features that the machine of `card` lacks, or has and must not have, a line each."""
        there = frozenset(card.features)
        lines = [f"no CPU feature {feature}" for feature in self.all_of if feature not in there]
        if self.any_of and there.isdisjoint(self.any_of):
            lines.append(f"none of the CPU features {', '.join(self.any_of)}")
        lines += [f"has the CPU feature {feature}" for feature in self.none_of if feature in there]
        return tuple(lines)


class Runs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section ``[runs]``: what is measured there.

    Attributes
    ----------
    precision
        Variant of the bundle.
    provider
        Where the graphs run.
    threads
        Worker threads; all CPUs that the process may use if None.
    token_budget
        Most positions of a batch of the encoder; None takes what `engine tune` kept, else the engine's own.
    """

    precision: str
    provider: Provider = "cpu"
    threads: Count | None = None
    token_budget: Count | None = None


class ServiceLevel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section ``[service]``: how well requests have to be served.

    Attributes
    ----------
    p99_seconds
        Most seconds from the scheduled time of a request to its answer, for 99 in 100 of them.
    recall
        Least share of the exact ten nearest that a search finds.
    """

    p99_seconds: Seconds
    recall: Share


class TargetFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A target's whole TOML file; its name is that of the file."""

    title: str
    runs: Runs
    service: ServiceLevel
    needs: Needs = Needs()


class Target(msgspec.Struct, frozen=True):
    """A hardware target.

    Attributes
    ----------
    name
        As records and histories call it.
    title
        For people.
    needs, runs, service
        See there.
    """

    name: str
    title: str
    needs: Needs
    runs: Runs
    service: ServiceLevel

    def unmet(self, card: Card) -> tuple[str, ...]:
        """What the machine of `card` lacks, or has and must not have, a line each; empty where it fits."""
        device = () if self.runs.provider in card.providers else (f"no device for the provider {self.runs.provider}",)
        return (*self.needs.unmet(card), *device)

    def wanted(self) -> str:
        """All that the machine must have, for people."""
        needs, provider = self.needs, self.runs.provider
        parts = (
            *needs.all_of,
            *((f"one of {', '.join(needs.any_of)}",) if needs.any_of else ()),
            *((f"none of {', '.join(needs.none_of)}",) if needs.none_of else ()),
            *((f"a device for {provider}",) if provider != "cpu" else ()),
        )
        return "; ".join(parts) or "nothing"


def choose_target(name: str | None, card: Card, variants: Collection[str] | None = None) -> Target:
    """The target by its name or file, or the best one that fits.

    Parameters
    ----------
    name
        One of `PACKAGED`, or the path of a TOML file; None or ``auto`` for the first of `PACKAGED` that fits.
    card
        Of the machine.
    variants
        Variants that could run, such as the one that the index was made with; ``auto`` takes no target of another. Any
        if None.

    Raises
    ------
    UsageError
        There is no such target, or its file cannot be read or has a key that is not known.
    MachineError
        The machine lacks what the target needs, or fits none; each unmet need is named.
    """
    if name is not None and name != AUTO:
        target = find_target(name)
        if unmet := target.unmet(card):
            raise MachineError(
                f"this machine ({card.processor}) is not the target '{target.name}', {target.title}: "
                f"{'; '.join(unmet)}. `engine bench targets` shows which ones fit."
            )
        return target
    refused = []
    for target in packaged_targets():
        unmet = target.unmet(card)
        if variants is not None and target.runs.precision not in variants:
            unmet = (*unmet, f"runs {target.runs.precision}, but {' and '.join(variants)} is what there is")
        if not unmet:
            return target
        refused.append(f"{target.name} ({'; '.join(unmet)})")
    raise MachineError(
        f"this machine ({card.processor}) fits no target: {', '.join(refused)}. Make the index with another "
        "--precision, or describe a target of your own in a TOML file and name it with --target."
    )


def packaged_targets() -> tuple[Target, ...]:
    """All of `PACKAGED`, best first."""
    return tuple(find_target(name) for name in PACKAGED)


def find_target(name: str) -> Target:
    """Read a packaged target, or a TOML file where `name` ends like one; raises `UsageError`."""
    if name in PACKAGED:
        packaged = resources.files("engine_bench.suite") / "targets" / f"{name}.toml"
        return _parsed(packaged.read_text(encoding="utf-8"), name, f"{name}.toml")
    path = Path(name)
    if path.suffix != ".toml":
        raise UsageError(
            f"there is no target '{name}'. There are {', '.join(PACKAGED)}, and files of your own: --target NAME.toml."
        )
    try:
        return _parsed(path.read_text(encoding="utf-8-sig"), path.stem, name)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the target {path} cannot be read: {error}. Name a TOML file in UTF-8.") from error


def _parsed(text: str, name: str, where: str) -> Target:
    try:
        found = msgspec.toml.decode(text, type=TargetFile)
    except msgspec.MsgspecError as error:  # it ends with the path of the field
        raise UsageError(f"{where}: {error}. See docs/targets.md for the keys.") from error
    return Target(name, found.title, found.needs, found.runs, found.service)
