"""Where this engine keeps what it may lose: downloads, and what was measured on this machine.

Knows environment variables; knows nothing of what is kept.
"""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """``$PROFILE_ENGINE_HOME``, else ``profile-engine`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if own := os.environ.get("PROFILE_ENGINE_HOME"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "profile-engine"
