"""`engine bench targets`: which hardware targets there are, and which this machine is."""

from __future__ import annotations

import click

from engine_bench.sheets import Sheet
from engine_runtime.commands import console
from engine_runtime.commands.options import json_option


@click.command()
@json_option
def targets(as_json: bool) -> None:
    """List the hardware targets, what each needs and whether this machine has it, and this machine's card.

    A target of your own is a TOML file; docs/targets.md has its keys.

    \b
    Example:
      engine bench targets
      engine bench run --bundle bundle --index index --events dataset --target cpu-avx2
    """
    import msgspec

    from engine_bench.suite.card import read_card
    from engine_bench.suite.card_facts import card_facts
    from engine_bench.suite.targets import packaged_targets

    card, known = read_card(), packaged_targets()
    unmet = {target.name: target.unmet(card) for target in known}
    chosen = next((name for name, lines in unmet.items() if not lines), None)
    if as_json:
        found = [
            msgspec.to_builtins(target) | {"unmet": unmet[target.name], "auto": target.name == chosen}
            for target in known
        ]
        console.emit({"targets": found, "machine": msgspec.to_builtins(card) | {"digest": card.digest}})
        return
    sheet = Sheet(
        "targets",
        ("target", "what it is", "needs", "p99", "this machine"),
        tuple(
            (
                target.name,
                target.title,
                target.wanted(),
                f"{1000 * target.service.p99_seconds:g} ms",
                "; ".join(unmet[target.name]) or ("fits, taken by auto" if target.name == chosen else "fits"),
            )
            for target in known
        ),
    )
    console.table(sheet.title, sheet.columns, sheet.rows)
    console.facts("this machine", card_facts(card))
