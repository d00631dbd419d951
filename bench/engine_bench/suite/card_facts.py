"""The machine's card as lines for people; knows the card alone."""

from __future__ import annotations

from engine_bench.fingerprint import SHOWN_FEATURES
from engine_bench.suite.card import Card

UNKNOWN = "not told by this system"


def card_facts(card: Card) -> dict[str, str]:
    """What is known of a machine, by name; of its features those that matter to speed."""
    quota = "" if card.quota is None else f", of which {card.quota:g} are granted"
    return {
        "processor": card.processor or UNKNOWN,
        "CPUs": f"{card.cpus}{quota}",
        "features that matter": ", ".join(name for name in SHOWN_FEATURES if name in card.features) or UNKNOWN,
        "caches": ", ".join(f"{name} {_size(size)}" for name, size in card.caches.items()) or UNKNOWN,
        "frequency policy": ", ".join(part for part in (card.governor, card.turbo) if part) or UNKNOWN,
        "memory": f"{card.memory / 2**30:.1f} GiB",
        **{f"GPU {place}": described for place, described in enumerate(card.gpus)},
        "runs on": ", ".join(card.providers),
        "system": card.kernel,
        **card.libraries,
        "card's digest": card.digest,
    }


def _size(size: int) -> str:
    return f"{size / 2**20:g} MiB" if size >= 2**20 else f"{size / 2**10:g} KiB"
