"""What a command says on stderr while it works: lines for people, or one JSON document a line for machines.

One setting for the process, made by ``engine --log-format`` before a command begins. A document has ``time`` (UTC, RFC
3339), ``level`` and ``event``, and the event's own fields. Knows nothing of any command. Imports next to nothing, as
the command line must begin fast.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import click

Level = Literal["info", "warning", "error"]
Format = Literal["text", "json"]

_writing = threading.Lock()
_format: Format = "text"


def speak(chosen: Format) -> None:
    """Choose how this process logs from now on."""
    global _format  # stderr is one for the process, and so is how it is written
    _format = chosen


def structured() -> bool:
    """Whether machines read the log."""
    return _format == "json"


def line(message: str, level: Level = "info") -> None:
    """Say one line: as it is to people, as event ``note`` to machines."""
    if structured():
        event("note", {"message": message}, level)
    else:
        click.echo(message, err=True)


def event(name: str, fields: Mapping[str, Any], level: Level = "info") -> None:
    """Tell machines that something has happened; people are told otherwise, so a log in plain text has no such line.

    Parameters
    ----------
    name
        What has happened.
    fields
        What JSON can hold. Never an identifier of a user or an item.
    level
        How much it matters.
    """
    if not structured():
        return
    document = {"time": utc_now(), "level": level, "event": name, **fields}
    encoded = json.dumps(document, ensure_ascii=False, allow_nan=False)
    with _writing:  # threads may speak at once; a document is one line
        sys.stderr.write(f"{encoded}\n")
        sys.stderr.flush()


def utc_now() -> str:
    """The present moment, as ``2026-01-31T04:05:06.789Z``."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
