"""The lean runtime: event logs and a bundle in, user profiles and recommendations out.

It never imports PyTorch, transformers or optimum, and nothing of the packages that train and export.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# ONNX Runtime's Linux wheels send usage data unless told otherwise before their import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# Texts are tokenized by the encoder's own workers; the tokenizers' threads would come on top of them.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

if TYPE_CHECKING:
    from engine_runtime.serve.engine import Engine

__version__ = "0.1.0"
__all__ = ["Engine", "__version__"]


def __getattr__(name: str) -> Any:
    """Import `Engine` on first use, so that ``engine --help`` does not pay for it."""
    if name == "Engine":
        from engine_runtime.serve.engine import Engine

        return Engine
    raise AttributeError(f"module 'engine_runtime' has no attribute '{name}'")
