"""The int8 form of a refiner: what is made cheaper, and in which order.

Knows graphs, feeds and the steps, each of which is done elsewhere; knows nothing of data sets or limits. The layers of
the Transformer become int8; the decoder onto concepts stays in float32, so that the readable profile is what was
trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import onnx

from engine_export.activations import with_silu
from engine_export.calibrate import Feed
from engine_export.recipe import Quantized, QuantizeSettings, quantize
from engine_export.refiner_graph import is_block


def int8_refiner(exact: onnx.ModelProto, feeds: Sequence[Feed], settings: QuantizeSettings) -> Quantized:
    """Quantize a refiner on real histories, with a cheaper form of GELU where it is as good.

    Parameters
    ----------
    exact
        Its float32 graph.
    feeds
        Real histories that everything is fitted to.
    settings
        What the search for an int8 form tries.
    """
    cheaper, gelus = with_silu(exact, feeds)
    made = quantize(cheaper, feeds, "query", settings, choose=is_block)
    return replace(made, recipe=made.recipe | {"gelu": f"{gelus} as a fitted SiLU"})
