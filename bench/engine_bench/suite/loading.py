"""The engine as a target runs it: its variant, provider, threads and batches; the one door of all scenarios.

Knows targets and the engine; knows nothing of what is measured.
"""

from __future__ import annotations

from pathlib import Path

from engine_bench.suite.quality import parity_figures
from engine_bench.suite.targets import Target
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.serve.engine import Engine


def load_on(target: Target, bundle: Path, index: Path, threads: int | None = None) -> Engine:
    """Load a bundle and its index as `target` runs them.

    Parameters
    ----------
    target
        One that fits this machine.
    bundle, index
        Directories.
    threads
        In place of the target's.

    Raises
    ------
    ArtefactError
        Something is damaged or does not belong together, or the bundle has no parity figures of the variant.
    MachineError, UsageError
        The machine cannot run the variant; the bundle has none of that name.
    """
    runs = target.runs
    engine = Engine.load(bundle, index, runs.precision, threads or runs.threads, runs.provider)
    parity_figures(engine.bundle, engine.precision)
    if runs.token_budget is not None:
        made = engine.bundle
        engine.encoder = TextEncoder(
            made.encoder(engine.precision),
            made.tokenizer,
            engine.info.encoder,
            provider=runs.provider,
            threads=engine.threads,
            budget=runs.token_budget,
        )
    return engine
