"""The int8 form of an encoder, step by step put together."""

from __future__ import annotations

from collections import Counter

import pytest

from engine_export.compare import cosines
from engine_export.encoder import chosen_texts
from engine_export.encoder_graph import encoder_graphs
from engine_export.encoder_int8 import int8_encoder
from engine_export.sources import EncoderSource
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.inference.tokenizer import Tokenizer
from tiny import ENCODER
from tiny_models import FAST, texts_of


@pytest.mark.parametrize("padded", [False, True])
def test_both_kinds_of_graph_become_cheaper_and_stay_close(source: EncoderSource, padded: bool) -> None:
    """With a mask or without, GELU and Softmax get their cheaper forms, and vectors stay near those of float32."""
    graphs = encoder_graphs(source)
    exact, path = graphs.padded if padded else graphs.cpu, source.folder / "tokenizer.json"
    calibration, compared = chosen_texts(texts_of(300))
    made = int8_encoder(exact, Tokenizer(path, 128), source.pad_token, calibration, compared, FAST)
    kinds = Counter(node.op_type for node in made.model.graph.node)
    assert (kinds["QuickGelu"], kinds["Erf"], kinds["Exp"], kinds["Softmax"]) == (2, 0, 2, 0)
    assert made.recipe["gelu"] == "2 as a fitted SiLU"
    assert made.recipe["softmax"] == "2 without their maximum"
    left, right = (
        TextEncoder(each.SerializeToString(), path, ENCODER).encode(compared) for each in (exact, made.model)
    )
    assert cosines(left, right).mean() > 0.995
