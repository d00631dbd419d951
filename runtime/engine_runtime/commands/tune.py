"""`engine tune`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_runtime.commands.console import emit, note, table
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, precision_option

if TYPE_CHECKING:
    from engine_runtime.artefacts.bundle import Bundle
    from engine_runtime.artefacts.encoder import EncoderArtefact, EncoderInfo


@click.command(short_help="Measure how much text an encoder reads at a time here.")
@click.argument("artefact", type=EXISTING_DIRECTORY)
@precision_option
@json_option
def tune(artefact: Path, precision: str, as_json: bool) -> None:
    """Measure which batches suit the text encoder of ARTEFACT, an encoder or a bundle, on this machine's CPU.

    What was measured is kept in $PROFILE_ENGINE_HOME, or profile-engine in $XDG_CACHE_HOME or ~/.cache, and used from
    then on. It changes how long encoding takes and no vector.

    \b
    Example:
      engine tune bundle
    """
    from engine_runtime.inference.encoder import TextEncoder
    from engine_runtime.inference.kept import KeptBudget, keep_budget
    from engine_runtime.inference.machine import choose_precision, fingerprint, this_machine
    from engine_runtime.inference.tuning import choose_budget, measure_rates

    opened, info, trained = _opened(artefact)
    chosen = choose_precision(precision, opened.info.precisions, trained, info.requires, this_machine())
    encoder = TextEncoder.open(opened, chosen, threads=1)
    note(f"timing the {chosen} encoder in batches of different sizes")
    rates = measure_rates(encoder)
    medians = {budget: sorted(found)[len(found) // 2] for budget, found in rates.items()}
    kept = KeptBudget(fingerprint(), opened.manifest.digest, chosen, choose_budget(rates), medians)
    where = keep_budget(kept)
    if as_json:
        emit({"kept": str(where)} | dataclasses.asdict(kept))
        return
    rows = [(f"{budget:,}", f"{rate:,.0f}") for budget, rate in medians.items()]
    table(f"batches of up to {kept.budget:,} tokens suit {chosen} here", ("tokens a batch", "tokens/s a thread"), rows)
    note(f"kept in {where}")


def _opened(path: Path) -> tuple[EncoderArtefact | Bundle, EncoderInfo, str]:
    """The artefact, what is known of its encoder, and the variant that "auto" prefers."""
    from engine_runtime.artefacts.bundle import KIND as BUNDLE
    from engine_runtime.artefacts.bundle import Bundle
    from engine_runtime.artefacts.encoder import EncoderArtefact
    from engine_runtime.artefacts.manifest import artefact_kind

    if artefact_kind(path) == BUNDLE:
        bundle = Bundle.open(path)
        return bundle, bundle.info.encoder, bundle.info.precision
    encoder = EncoderArtefact.open(path)
    return encoder, encoder.info, encoder.info.precisions[0]
