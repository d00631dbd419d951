"""Texts to vectors through the encoder graph.

Knows tokens, batches and sessions; knows nothing of items or users. Each distinct text is encoded once; worker threads
share one single-threaded session, so weights are in memory once and results do not depend on the number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.encoder import EncoderInfo
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.batching import cut_batches, pad_rows
from engine_runtime.inference.session import Provider, available_cpus, open_session
from engine_runtime.inference.tokenizer import Tokenizer, Tokens

Floats = npt.NDArray[np.float32]

# 512 positions keep a layer's activations inside the second-level cache of a core.
BUDGETS: dict[Provider, int] = {"cpu": 512, "cuda": 16384}

# Texts tokenized at a time: memory is bounded by this, not by the catalogue.
WINDOW = 16384


class TextEncoder:
    """A text encoder ready to run.

    Parameters
    ----------
    graph, tokenizer
        Files of an encoder artefact or a bundle.
    info
        What is known of the encoder.
    provider
        Where it runs.
    threads
        Worker threads on a CPU; all available if None.
    """

    def __init__(
        self,
        graph: Path | bytes,
        tokenizer: Path,
        info: EncoderInfo,
        *,
        provider: Provider = "cpu",
        threads: int | None = None,
    ) -> None:
        self.info = info
        self._tokenize = Tokenizer(tokenizer, info.max_tokens)
        self._session = open_session(graph, provider)
        self._budget = BUDGETS[provider]
        self._workers = 1 if provider == "cuda" else threads or available_cpus()
        self._widths = {output.name: output.shape[-1] for output in self._session.get_outputs()}

    def encode(
        self, texts: Sequence[str], output: str = "text", advance: Callable[[int], None] | None = None
    ) -> Floats:
        """Encode `texts`.

        Parameters
        ----------
        texts
            Any strings, empty ones too; longer ones than the encoder reads are cut.
        output
            Output of the graph: ``text`` or, in a bundle, ``item``.
        advance
            Called with the number of distinct texts done, now and then.

        Returns
        -------
        float32 [texts, width of output]
            In the order of `texts`.

        Raises
        ------
        ArtefactError
            The graph has no such output, or a vector is not finite.
        """
        if output not in self._widths:
            raise ArtefactError(f"this encoder has the outputs {', '.join(self._widths)}, not '{output}'.")
        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        distinct = list(rows)
        vectors = np.empty((len(distinct), self._widths[output]), np.float32)
        with ThreadPoolExecutor(self._workers) as pool:
            for start in range(0, len(distinct), WINDOW):
                tokens = self._tokenize(distinct[start : start + WINDOW])
                target = vectors[start : start + WINDOW]
                batches = cut_batches(tokens.lengths, self._budget)
                for done in pool.map(lambda batch, t=tokens, v=target: self._run(t, batch, output, v), batches):
                    if advance:
                        advance(done)
        if not np.isfinite(vectors).all():
            raise ArtefactError("the encoder gave a vector that is not finite. Export it again, or use fp32.")
        return vectors if len(distinct) == len(texts) else vectors[[rows[text] for text in texts]]

    def _run(self, tokens: Tokens, batch: npt.NDArray[np.int64], output: str, out: Floats) -> int:
        lengths = tokens.lengths[batch]
        width = int(lengths.max(initial=1))
        feed = {"input_ids": pad_rows(tokens.ids, tokens.offsets, batch, width, self.info.pad_token)}
        feed["attention_mask"] = (np.arange(width) < lengths[:, None]).astype(np.int64)
        feed["token_type_ids"] = np.zeros_like(feed["attention_mask"])
        out[batch] = self._session.run([output], {name: feed[name] for name in self.info.inputs})[0]
        return len(batch)
