"""The overlay: what users say of their own interests, in one JSON file beside the artefacts.

It names concepts and not their numbers, so that it outlives a training. Written in one step, one writer at a time.
Knows the file and what may stand in it; knows nothing of bundles or profiles.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from engine_runtime.artefacts.writing import write_document
from engine_runtime.errors import ArtefactError, UsageError

VERSION = 1
ROUNDING = 1e-9
"""Weights of decimals, such as ten of 0.1, may sum to a little more than 1."""

Kind = Literal["mask", "scale", "add"]


@dataclass(frozen=True)
class Correction:
    """What a user says of one concept.

    Attributes
    ----------
    concept
        Its name.
    kind
        ``mask``: no longer of interest; ``scale``: more or less than the events say; ``add``: stated by the user.
    amount
        The factor of ``scale``, above 0; the weight of ``add``, above 0 and at most 1; 0 of ``mask``.
    made
        When it was said, ISO 8601 in UTC.
    """

    concept: str
    kind: Kind
    amount: float
    made: str


@dataclass(frozen=True)
class Overlay:
    """Corrections of users by their ids; a user without any is not in it."""

    version: int = VERSION
    users: dict[str, tuple[Correction, ...]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What tells this overlay from others, whenever it was said: 64 hex digits; empty if nothing is corrected."""
        whole = sha256()
        for user in sorted(self.users):
            whole.update(msgspec.json.encode([user, _said(self.users[user])]))
        return whole.hexdigest() if self.users else ""

    def fingerprint(self, user: str) -> int:
        """64 bits of what a user has corrected, whenever it was said; 0 for nothing."""
        corrections = self.users.get(user)
        if not corrections:
            return 0
        return int.from_bytes(sha256(msgspec.json.encode(_said(corrections))).digest()[:8], "little")

    def revised(self, user: str, corrections: Iterable[Correction], cleared: Sequence[str] | None = ()) -> Overlay:
        """The overlay with a user's corrections changed.

        Parameters
        ----------
        user
            An id.
        corrections
            What is said now; each takes the place of what was said of its concept before.
        cleared
            Names of the concepts of which nothing is said any more; all if None.

        Raises
        ------
        UsageError
            Nothing was said of a cleared concept, or an amount is out of its bounds.
        """
        before = {correction.concept: correction for correction in self.users.get(user, ())}
        for name in list(before) if cleared is None else cleared:
            if before.pop(name, None) is None:
                raise UsageError(f"nothing is corrected of '{name}', so nothing can be cleared. --show lists what is.")
        after = tuple((before | {correction.concept: correction for correction in corrections}).values())
        if wrong := _wrong(after):
            raise UsageError(wrong)
        others = {name: held for name, held in self.users.items() if name != user}
        return replace(self, users=others | {user: after} if after else others)


def read_overlay(path: Path) -> Overlay:
    """Read an overlay; raises `ArtefactError` where there is none, or it is damaged."""
    try:
        overlay = msgspec.json.decode(path.read_bytes(), type=Overlay)
    except FileNotFoundError as error:
        raise ArtefactError(f"there is no overlay {path}. `engine correct` makes one.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArtefactError(f"{path} is no overlay of corrections: {error}. Put back an earlier copy.") from error
    if overlay.version != VERSION:
        raise ArtefactError(f"{path} is an overlay of version {overlay.version}; this program reads {VERSION}.")
    for corrections in overlay.users.values():
        if wrong := _wrong(corrections):
            raise ArtefactError(f"{path} has a correction that cannot be: {wrong}")
    return overlay


def change(path: Path, edit: Callable[[Overlay], Overlay]) -> Overlay:
    """Read an overlay, or begin one; edit it; write it in one step. Give what is written.

    Raises
    ------
    ArtefactError
        The file is damaged. It is left as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _held(path.parent):
        before = read_overlay(path) if path.exists() else Overlay()
        after = edit(before)
        if after != before:
            write_document(path, after)
    return after


def forget(path: Path, users: Iterable[str]) -> int:
    """Take users out of an overlay, where there is one; give how many of them it held."""
    if not path.exists():
        return 0
    gone, found = set(users), 0

    def without(overlay: Overlay) -> Overlay:
        nonlocal found
        kept = {user: held for user, held in overlay.users.items() if user not in gone}
        found = len(overlay.users) - len(kept)
        return replace(overlay, users=kept)

    change(path, without)
    return found


def _said(corrections: Iterable[Correction]) -> list[tuple[str, str, float]]:
    """What is said, in one order and without its moment."""
    return sorted((correction.concept, correction.kind, float(correction.amount)) for correction in corrections)


def _wrong(corrections: Sequence[Correction]) -> str:
    """What is wrong with a user's corrections, for people; empty where nothing is."""
    if len({correction.concept for correction in corrections}) < len(corrections):
        return "a concept is corrected twice for one user."
    for correction in corrections:
        amount, name = correction.amount, correction.concept
        if correction.kind == "scale" and not (math.isfinite(amount) and amount > 0):
            return f"the factor {amount:g} of '{name}' is not above 0. Mask a concept to have none of it."
        if correction.kind == "add" and not 0 < amount <= 1:
            return f"the weight {amount:g} of '{name}' is not above 0 and at most 1."
        if correction.kind == "mask" and amount != 0:
            return f"the mask of '{name}' has the amount {amount:g}, not 0."
    total = sum(correction.amount for correction in corrections if correction.kind == "add")
    return f"added weights of one user sum to {total:g}, more than 1." if total > 1 + ROUNDING else ""


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Let one process at a time change what is in a folder: of two that read the same, one would lose its words."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows: there, one writer at a time is the caller's care
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
