"""What can go wrong, as one small tree; knows nothing of the command line.

::

    EngineError
    ├── UsageError      the call itself is wrong: an option, a setting, a path in the way
    ├── MachineError    this machine lacks something: an extra, a provider, a CPU feature, disk space
    ├── InputError      the user's data cannot be used
    └── ArtefactError   a directory made by this engine is damaged or belongs to another one

A message says what was looked for, where, and what to do about it. The library raises; only
``engine_runtime.cli`` turns an error into an exit code.
"""

__all__ = ["ArtefactError", "EngineError", "InputError", "MachineError", "UsageError"]


class EngineError(Exception):
    """Base of every error that this engine raises on purpose."""

    exit_code = 1


class UsageError(EngineError):
    """The call cannot be carried out as it was given."""

    exit_code = 2


class MachineError(EngineError):
    """The machine or environment lacks what the call needs."""

    exit_code = 3


class InputError(EngineError):
    """The user's data cannot be used."""

    exit_code = 4


class ArtefactError(EngineError):
    """An artefact is missing, damaged, or was made for another one."""

    exit_code = 5
