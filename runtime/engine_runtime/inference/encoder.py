"""Texts to vectors through the encoder graph.

Knows tokens, batches and workers; knows nothing of items or users. All work of a stream is done by its worker threads,
tokenizing too: a window's texts are cut into chunks whose tokenizing stands in the workers' queue before the batches
of the window ahead of it. So a worker finds something to do until the last batch, and there are never more busy
threads than workers. One text, or a few, is done in the calling thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.encoder import EncoderArtefact, EncoderInfo
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.batching import cut_batches, cut_equal
from engine_runtime.inference.buckets import Buckets
from engine_runtime.inference.cache import KeptVectors, VectorCache
from engine_runtime.inference.cuda import DeviceSession
from engine_runtime.inference.feed import DTYPES, MASK, encoder_feed
from engine_runtime.inference.kept import kept_budget
from engine_runtime.inference.machine import fingerprint
from engine_runtime.inference.session import Provider
from engine_runtime.inference.tokenizer import Tokenizer, Tokens
from engine_runtime.inference.windows import ahead, distinct, windows
from engine_runtime.inference.workers import Workers

T = TypeVar("T")
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Advance = Callable[[int], None]

# 512 positions keep a layer's activations inside the second-level cache of a core.
BUDGETS: dict[Provider, int] = {"cpu": 512, "cuda": 16384}

# Texts tokenized in one go; what the tokenizer makes of a text takes far more memory than its token ids.
CHUNK = 256

# So many texts are tokenized in the calling thread, and run there if they fit one batch.
FEW = 16


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
    budget
        Most positions of one padded batch; `BUDGETS` if None. It changes the time that a batch takes and no vector.
    cache
        Where vectors are kept from run to run; they are looked up there before they are computed.
    """

    def __init__(
        self,
        graph: Path | bytes,
        tokenizer: Path,
        info: EncoderInfo,
        *,
        provider: Provider = "cpu",
        threads: int | None = None,
        budget: int | None = None,
        cache: VectorCache | None = None,
    ) -> None:
        self.info = info
        self.budget = budget or BUDGETS[provider]
        self._cache = cache
        self._tokenize = Tokenizer(tokenizer, info.max_tokens)
        self._workers = Workers(graph, provider, threads)
        session = self._workers.session()
        self._inputs = {tensor.name: DTYPES[tensor.type] for tensor in session.get_inputs()}
        self._widths = {tensor.name: tensor.shape[-1] for tensor in session.get_outputs()}
        buckets = Buckets(info.max_tokens, self.budget)
        on_device = provider == "cuda" and MASK in self._inputs
        self._device = DeviceSession(session, provider, buckets, info.pad_token) if on_device else None

    @classmethod
    def open(
        cls,
        artefact: EncoderArtefact | Bundle,
        precision: str,
        *,
        provider: Provider = "cpu",
        threads: int | None = None,
        cache: Path | None = None,
    ) -> TextEncoder:
        """The encoder of an artefact, with the budget that was measured for it on this machine if there is one.

        Parameters
        ----------
        artefact
            An encoder, or a bundle that holds one.
        precision
            Its variant.
        provider, threads
            As of the class.
        cache
            Folder where vectors are kept from run to run.
        """
        graph, info = (
            (artefact.encoder(precision), artefact.info.encoder)
            if isinstance(artefact, Bundle)
            else (artefact.graph(precision), artefact.info)
        )
        kept = VectorCache(cache, artefact.manifest.digest, precision) if cache else None
        measured = kept_budget(fingerprint(), artefact.manifest.digest, precision) if provider == "cpu" else None
        return cls(graph, artefact.tokenizer, info, provider=provider, threads=threads, budget=measured, cache=kept)

    @property
    def n_tokens(self) -> int:
        """Tokens that the tokenizer knows; their ids are less than it."""
        return self._tokenize.size

    def encode(self, texts: Sequence[str], output: str = "text", advance: Advance | None = None) -> Floats:
        """Encode `texts`, each distinct one once.

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
        once, rows = distinct(texts)
        blocks = self.stream(once, output, advance)
        vectors = np.empty((len(once), self._widths[output]), np.float32)
        start = 0
        for block in blocks:
            vectors[start : start + len(block)] = block
            start += len(block)
        return vectors if len(once) == len(rows) else vectors[rows]

    def stream(self, texts: Iterable[str], output: str = "text", advance: Advance | None = None) -> Iterator[Floats]:
        """Encode texts as they come, in bounded memory however many there are.

        Texts are read some windows ahead of the vectors; within a window each distinct text is encoded once.

        Parameters
        ----------
        texts, output, advance
            As in `encode`.

        Yields
        ------
        float32 [n, width of output]
            Vectors of the next `n` texts, in their order; n varies.

        Raises
        ------
        ArtefactError
            As in `encode`.
        """
        if output not in self._widths:
            raise ArtefactError(f"this encoder has the outputs {', '.join(self._widths)}, not '{output}'.")
        return self._blocks(texts, output, advance)

    def _blocks(self, texts: Iterable[str], output: str, advance: Advance | None) -> Iterator[Floats]:
        width = self._widths[output]
        opened = self._cache.opened(output, width) if self._cache else nullcontext()
        with self._workers.pool() as pool, opened as kept:
            begun = (self._begin(window, width, pool, kept) for window in windows(texts))
            started = (self._start(window, output, pool) for window in ahead(begun))
            for window in ahead(started):
                yield _finished(window, kept, advance)

    def _begin(self, texts: Sequence[str], width: int, pool: Executor, kept: KeptVectors | None) -> _Window:
        """Look a window's texts up; send those that are not known to be tokenized."""
        once, rows = distinct(texts)
        vectors = np.empty((len(once), width), np.float32)
        fresh = np.flatnonzero(~kept.read(once, vectors)) if kept else np.arange(len(once))
        wanted = [once[row] for row in fresh] if kept else once
        submit = _at_once if len(wanted) <= FEW else pool.submit
        chunks = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
        return _Window(rows, vectors, wanted, fresh, [submit(self._tokenize, chunk) for chunk in chunks])

    def _start(self, window: _Window, output: str, pool: Executor) -> _Window:
        """Send a window's batches to be run, once its texts are tokenized."""
        tokens = Tokens.joined([chunk.result() for chunk in window.tokens])
        batches = self.cut(tokens)
        submit = _at_once if len(window.wanted) <= FEW and len(tokens.ids) <= self.budget else pool.submit
        window.tokens.clear()
        window.batches += [submit(self._fill, window, tokens, batch, output) for batch in batches]
        return window

    def cut(self, tokens: Tokens) -> list[Ints]:
        """The batches that `tokens` are run in: for each, int64 numbers of its texts."""
        if self._device:
            return self._device.buckets.cut(tokens.lengths)
        cut = cut_batches if MASK in self._inputs else cut_equal
        return cut(tokens.lengths, self.budget)

    def run(self, tokens: Tokens, batch: Ints, output: str = "text") -> Floats:
        """Run one batch of `tokens` in the calling thread: float32 [rows of batch, width], as the graph gives it."""
        feed = encoder_feed(tokens, batch, self._inputs, self.info.pad_token)
        if self._device:
            return self._device.run(feed, output)
        return np.asarray(self._workers.session().run([output], feed)[0])

    def _fill(self, window: _Window, tokens: Tokens, batch: Ints, output: str) -> int:
        """Run one batch of a window; its vectors go to their rows."""
        window.vectors[window.fresh[batch]] = self.run(tokens, batch, output)
        return len(batch)


@dataclass
class _Window:
    """A window on its way.

    Attributes
    ----------
    rows
        Of the texts as given, among the distinct ones.
    vectors
        Of the distinct texts, float32 [distinct, width]; filled bit by bit.
    wanted, fresh
        The texts that have to be encoded, and their rows among the distinct ones.
    tokens, batches
        What the workers are at.
    """

    rows: list[int]
    vectors: Floats
    wanted: list[str]
    fresh: Ints
    tokens: list[Future[Tokens]]
    batches: list[Future[int]] = field(default_factory=list)


def _finished(window: _Window, kept: KeptVectors | None, advance: Advance | None) -> Floats:
    """The vectors of a window's texts, once all are there."""
    if advance and len(window.wanted) < len(window.vectors):
        advance(len(window.vectors) - len(window.wanted))
    for batch in window.batches:
        done = batch.result()
        if advance:
            advance(done)
    if not np.isfinite(window.vectors).all():
        raise ArtefactError("the encoder gave a vector that is not finite. Export it again, or use fp32.")
    if kept and window.wanted:
        kept.write(window.wanted, window.vectors[window.fresh])
    return window.vectors if len(window.vectors) == len(window.rows) else window.vectors[window.rows]


def _at_once(function: Callable[..., T], *arguments: Any) -> Future[T]:
    """Call in this thread; the result as a worker would give it."""
    future: Future[T] = Future()
    future.set_result(function(*arguments))
    return future
