"""What all peers are given: the texts, those that they may calibrate on, and those that show whether batches matter.

Knows data sets and the engine's tokenizer, by which tokens are counted for all; knows nothing of peers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine_export.anchors import ANCHORS
from engine_export.encoder import chosen_texts, distinct_texts, item_texts
from engine_models.corpus import evenly
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.inference.tokenizer import Tokenizer

SHORT_TOKENS = 32
LONE_TEXTS = 20
MIXED_BATCHES = 50

# Texts that are added to the lone ones in a mixed batch, at most.
MOST_OTHERS = 44


@dataclass(frozen=True)
class Workload:
    """Texts to encode.

    Attributes
    ----------
    texts
        Distinct ones, in the order of the catalogue.
    tokens
        Of all of them together, special ones included, each cut to what the encoder reads.
    calibration
        What ours was calibrated on where it was exported with the same data set.
    short
        One text of about `SHORT_TOKENS` tokens.
    short_tokens
        How many it really has.
    """

    texts: tuple[str, ...]
    tokens: int
    calibration: tuple[str, ...]
    short: str
    short_tokens: int

    @property
    def lone(self) -> list[str]:
        """The `LONE_TEXTS` texts that are encoded alone and in mixed batches, spread over all."""
        return [self.texts[row] for row in evenly(len(self.texts), LONE_TEXTS)]

    def mixed(self, seed: int = 0) -> list[list[str]]:
        """The lone texts in front of a random number of random others, `MIXED_BATCHES` times."""
        generator, lone = np.random.default_rng(seed), self.lone
        most = min(MOST_OTHERS, len(self.texts))
        sizes = generator.integers(1, most, MIXED_BATCHES, endpoint=True)
        return [[*lone, *(self.texts[row] for row in generator.choice(len(self.texts), size))] for size in sizes]


def make_workload(dataset: Dataset, encoder: EncoderArtefact, most_texts: int | None = None) -> Workload:
    """Texts of a data set, at most `most_texts` of them, spread evenly over the catalogue.

    Raises
    ------
    InputError
        The data set has no text.
    """
    everything = distinct_texts(item_texts(dataset))
    calibration, _ = chosen_texts(everything)
    rows = evenly(len(everything), most_texts or len(everything))
    texts = tuple(everything[row] for row in rows)
    lengths = Tokenizer(encoder.tokenizer, encoder.info.max_tokens)(texts).lengths
    nearest = int(np.abs(lengths - SHORT_TOKENS).argmin())
    return Workload(
        texts=texts,
        tokens=int(lengths.sum()),
        calibration=(*calibration, *ANCHORS),
        short=texts[nearest],
        short_tokens=int(lengths[nearest]),
    )
