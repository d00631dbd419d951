"""`engine protect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_runtime.commands.console import emit, facts, progress
from engine_runtime.commands.options import EXISTING, EXISTING_DIRECTORY, force_option, json_option, out_option

if TYPE_CHECKING:
    from engine_runtime.artefacts.released import Released
    from engine_runtime.profile.noise import Mechanism


def _parted(ctx: click.Context, option: click.Parameter, given: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))


@click.command(short_help="Make a release of an output, to be given to others.")
@click.argument("output", type=EXISTING_DIRECTORY)
@out_option("release")
@click.option("--bundle", type=EXISTING_DIRECTORY, help="That the output was made with; for --remove and --epsilon.")
@click.option(
    "--key",
    type=EXISTING,
    help="Key of the pseudonyms, from `engine pseudonyms new-key`; without one they hold for this release alone.",
)
@click.option("--remove", default="", callback=_parted, metavar="NAMES", help="Attributes erased, commas between.")
@click.option("--events", type=EXISTING_DIRECTORY, help="Data set of the output, which has the attributes.")
@click.option(
    "--epsilon",
    type=click.FloatRange(0, 500, min_open=True),
    help="Add noise that promises so much; no noise if not given.",
)
@click.option(
    "--delta",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=1e-6,
    show_default=True,
    help="That goes with epsilon; of `gaussian` alone.",
)
@click.option(
    "--mechanism",
    type=click.Choice(["gaussian", "response"]),
    default="gaussian",
    show_default=True,
    help="Noise in each number, or the strongest concept told by randomized response.",
)
@click.option("--drop", default="", callback=_parted, metavar="COLUMNS", help="Columns left null, commas between.")
@force_option
@json_option
def protect(
    output: Path,
    out: Path,
    bundle: Path | None,
    key: Path | None,
    remove: tuple[str, ...],
    events: Path | None,
    epsilon: float | None,
    delta: float,
    mechanism: Mechanism,
    drop: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Make of OUTPUT, from `engine serve-batch`, a release that may be given to others.

    Users get pseudonyms, and rows are in the order of those. With --remove no linear probe finds the named attributes
    in the profiles and queries. With --epsilon profiles are noisy, as differential privacy asks for, and what is worked
    out of events is left out. Each release of the same users spends an epsilon of its own. docs/protection.md says
    what this protects against, and what not.

    \b
    Example:
      engine pseudonyms new-key partner.key
      engine protect profiles --key partner.key --out released
      engine protect profiles --bundle bundle --events dataset --remove gender --drop recommendations --out released
      engine protect profiles --bundle bundle --epsilon 8 --mechanism response --out released
    """
    from engine_runtime.artefacts.bundle import Bundle
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.keys import read_key
    from engine_runtime.artefacts.output import Output
    from engine_runtime.serve.releasing import Wishes, release

    secret = read_key(key) if key is not None else None
    opened = Output.open(output)
    with progress("releasing", opened.info.n_users, "users") as advance:
        made = release(
            opened,
            out,
            Wishes(secret, remove, epsilon, delta, mechanism, drop),
            Bundle.open(bundle) if bundle is not None else None,
            Dataset.open(events) if events is not None else None,
            replace=force,
            advance=advance,
        )
    if as_json:
        emit({"released": str(out), "digest": made.manifest.digest, "of": opened.manifest.digest} | made.manifest.info)
        return
    facts(f"release in {out}", _shown(made))


def _shown(made: Released) -> dict[str, Any]:
    info = made.info
    shown = {"users": f"{info.n_users:,}", "names": info.pseudonyms}
    if info.noise is not None:
        noise = info.noise
        shown["promise"] = f"epsilon {noise.epsilon:g}, delta {noise.delta:g}, for {noise.unit}"
        shown["noise"] = f"{noise.mechanism}, sigma {noise.sigma:.4g} in each number of a profile"
    if info.erasure is not None:
        erased = info.erasure
        shown["erased"] = f"{', '.join(erased.attributes)}: {erased.rank} directions, from {erased.n_fitted:,} users"
    if info.dropped:
        shown["null"] = ", ".join(info.dropped)
    return shown
