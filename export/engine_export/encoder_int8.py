"""The int8 form of a text encoder: what is made cheaper, in which order, and on which texts.

Knows graphs, texts and the steps, each of which is done elsewhere; knows nothing of artefacts or limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx

from engine_export.activations import with_silu
from engine_export.anchors import ANCHORS
from engine_export.calibrate import BUDGET, Feed
from engine_export.encoder_graph import TEXT
from engine_export.exponentials import without_maximum
from engine_export.recipe import Quantized, QuantizeSettings, quantize
from engine_models.corpus import evenly
from engine_runtime.inference.batching import cut_equal
from engine_runtime.inference.feed import encoder_feed
from engine_runtime.inference.tokenizer import Tokenizer, Tokens

# Of the texts compared on, those that the error of each layer is measured on.
JUDGED_TEXTS = 64

SOUP_TEXTS = 64
SOUP_LENGTHS = (2, 16, 64, 128)


def int8_encoder(
    exact: onnx.ModelProto,
    tokenize: Tokenizer,
    pad_token: int,
    calibration: Sequence[str],
    compared: Sequence[str],
    settings: QuantizeSettings,
) -> Quantized:
    """Quantize an encoder on real texts, with cheaper forms of GELU and Softmax where they are as good.

    Parameters
    ----------
    exact
        Its float32 graph.
    tokenize, pad_token
        Of the encoder.
    calibration
        Texts that everything is fitted to; short texts of many kinds (`ANCHORS`) are added.
    compared
        Other texts; some of them tell the error of each layer.
    settings
        What the search for an int8 form tries.
    """
    judged = [compared[row] for row in evenly(len(compared), JUDGED_TEXTS)]
    seen = _feeds(exact, tokenize([*calibration, *ANCHORS]), pad_token)
    soup = _feeds(exact, _soup(tokenize), pad_token)
    cheaper, gelus = with_silu(exact, seen)
    cheaper, softmaxes = without_maximum(cheaper, [*seen, *soup])
    made = quantize(cheaper, seen, TEXT, settings, judged=_feeds(exact, tokenize(judged), pad_token))
    notes = {"gelu": f"{gelus} as a fitted SiLU", "softmax": f"{softmaxes} without their maximum"}
    return replace(made, recipe=made.recipe | notes)


def _feeds(graph: onnx.ModelProto, tokens: Tokens, pad_token: int) -> list[Feed]:
    """Inputs of a graph for all texts, in batches of one length each."""
    inputs = {tensor.name: np.int64 for tensor in graph.graph.input}
    return [encoder_feed(tokens, rows, inputs, pad_token) for rows in cut_equal(tokens.lengths, BUDGET)]


def _soup(tokenize: Tokenizer) -> Tokens:
    """Tokens at random, short texts and long ones: how far attention can be driven."""
    lengths = np.minimum(np.repeat(SOUP_LENGTHS, SOUP_TEXTS), tokenize.max_tokens)
    ids = np.random.default_rng(0).integers(0, tokenize.size, int(lengths.sum()))
    return Tokens(ids, np.concatenate([[0], np.cumsum(lengths)]))
