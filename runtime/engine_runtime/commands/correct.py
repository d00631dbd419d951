"""`engine correct`: what a user says of their own interests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_runtime.commands.console import emit
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option
from engine_runtime.errors import InputError, UsageError

if TYPE_CHECKING:
    from engine_runtime.artefacts.overlay import Correction, Overlay

SUGGESTED = 3
WORDS: dict[str, str] = {"mask": "masked", "scale": "times {:g}", "add": "stated {:.0%}"}


@click.command(short_help="Scale, mask or add an interest of a user.")
@click.argument("user")
@click.option(
    "--overlay",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file of all users' corrections; made if it is not there.",
)
@click.option("--bundle", type=EXISTING_DIRECTORY, help="Whose concepts are named; needed to say anything new.")
@click.option("--mask", "masks", multiple=True, metavar="NAME", help="Leave a concept and its items out.")
@click.option("--scale", "scales", multiple=True, metavar="NAME=FACTOR", help="Weigh a concept more or less.")
@click.option("--add", "added", multiple=True, metavar="NAME=WEIGHT", help="State an interest, of a weight up to 1.")
@click.option("--clear", "cleared", multiple=True, metavar="NAME", help="Take back what was said of a concept.")
@click.option("--clear-all", is_flag=True, help="Take back all that this user has said, before what is said now.")
@click.option("--remove-user", is_flag=True, help="Forget the user, and nothing else.")
@click.option("--show", is_flag=True, help="Change nothing; print what the user has said.")
@json_option
def correct(
    user: str,
    overlay: Path,
    bundle: Path | None,
    masks: tuple[str, ...],
    scales: tuple[str, ...],
    added: tuple[str, ...],
    cleared: tuple[str, ...],
    clear_all: bool,
    remove_user: bool,
    show: bool,
    as_json: bool,
) -> None:
    """Correct the interests of USER, and print all that USER has corrected.

    What is said of a concept takes the place of what was said of it before. Corrections are kept by the names of
    concepts, so they outlive refreshes; `serve-batch`, `recommend` and `explain` apply them with --overlay.

    \b
    Example:
      engine correct 405 --overlay said.json --bundle bundle --mask "Horror: zombie, undead"
      engine correct 405 --overlay said.json --bundle bundle --scale "Comedy: funny=0.5" --add "Western: ranch=0.2"
      engine correct 405 --overlay said.json --show
      engine correct 405 --overlay said.json --remove-user
    """
    from engine_runtime.artefacts.overlay import Overlay, change, forget, read_overlay

    new = _said(masks, scales, added)
    _check_call(bool(new), bool(cleared) or clear_all, remove_user, show)
    names = None if bundle is None else _names(bundle)
    if new:
        _check_names([correction.concept for correction in new], names, bundle)
    if remove_user:
        forget(overlay, [user])
    if remove_user or show:
        held = read_overlay(overlay) if overlay.exists() else Overlay()
    else:
        held = change(overlay, lambda before: before.revised(user, new, None if clear_all else cleared))
    _tell(user, held, names, as_json=as_json)


def _said(masks: Sequence[str], scales: Sequence[str], added: Sequence[str]) -> list[Correction]:
    """What a call says, each concept once."""
    from engine_runtime.artefacts.overlay import Correction

    made = datetime.now(UTC).isoformat(timespec="seconds")
    said = [Correction(name, "mask", 0.0, made) for name in masks]
    said += [Correction(name, "scale", amount, made) for name, amount in _amounts("--scale", scales)]
    said += [Correction(name, "add", amount, made) for name, amount in _amounts("--add", added)]
    if twice := [name for name, count in Counter(one.concept for one in said).items() if count > 1]:
        raise UsageError(f"'{twice[0]}' is corrected twice in one call. Say one thing of a concept.")
    return said


def _amounts(option: str, given: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Name and number of each ``NAME=NUMBER``; a name may hold the sign itself."""
    for one in given:
        name, _, number = one.rpartition("=")
        try:
            yield name, float(number if name else "")
        except ValueError as error:
            raise UsageError(f"{option} takes NAME=NUMBER, not '{one}'.") from error


def _check_call(new: bool, cleared: bool, remove: bool, show: bool) -> None:
    """Refuse a call that says nothing, or two things that exclude each other."""
    if remove + show + (new or cleared) != 1:
        raise UsageError("say what to do: --mask, --scale, --add and --clear, or --show alone, or --remove-user alone.")


def _check_names(wanted: Sequence[str], names: Sequence[str] | None, bundle: Path | None) -> None:
    """Refuse a name that the bundle has not, with those that are like it."""
    if names is None:
        raise UsageError("--mask, --scale and --add need --bundle, whose concepts they name.")
    for name in wanted:
        if name not in names:
            raise InputError(f"{bundle} has no concept '{name}'. {_suggestion(name, names)}")


def _suggestion(name: str, names: Sequence[str]) -> str:
    """The names that are most like a wrong one."""
    lower = {known.lower(): known for known in reversed(names)}
    inside = [known for low, known in lower.items() if name.lower() in low]
    like = [lower[low] for low in get_close_matches(name.lower(), lower, SUGGESTED, 0.5)]
    nearest = list(dict.fromkeys([*like, *reversed(inside)]))[:SUGGESTED]
    if nearest:
        return f"Did you mean {' or '.join(repr(known) for known in nearest)}?"
    return "concepts.json in the bundle names all there are."


def _names(bundle: Path) -> list[str]:
    from engine_runtime.artefacts.bundle import Bundle
    from engine_runtime.serve.learned import Learned

    return Learned(Bundle.open(bundle)).concept_names


def _tell(user: str, overlay: Overlay, names: Sequence[str] | None, *, as_json: bool) -> None:
    """Print all that a user has corrected; with a bundle, which of it means nothing there."""
    held = overlay.users.get(user, ())
    gone = [one.concept for one in held if names is not None and one.concept not in names]
    if as_json:
        emit({"user_id": user, "corrections": [asdict(one) for one in held], "unknown": gone})
        return
    click.echo(click.style(f"user {user}", bold=True))
    for one in held:
        mark = "  (the bundle has no such concept)" if one.concept in gone else ""
        click.echo(f"  {WORDS[one.kind].format(one.amount):>12}  {one.concept}  {one.made}{mark}")
    if not held:
        click.echo("  nothing is corrected")
