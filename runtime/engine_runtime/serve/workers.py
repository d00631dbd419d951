"""Buckets served one after another in this process, or side by side in processes forked from it.

A worker process shares all that is in memory when it is made, copies of pages being made only of what it writes. It
tells this process what it has done in messages of JSON; it commits nothing, prints nothing, and ends with this process,
however that ends. Knows processes; knows nothing of what serving a bucket is.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

import msgspec

from engine_runtime import errors
from engine_runtime.errors import MachineError
from engine_runtime.serve.stages import Stages

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

Advance = Callable[[int], None]
NO_MORE = b""


@dataclass(frozen=True)
class Served:
    """A bucket whose part is written: what was counted in it, and what it took."""

    bucket: int
    counts: dict[str, int]
    stages: Stages


Serve = Callable[[int, Advance], Served]


@dataclass(frozen=True)
class Failed:
    """What was raised in a worker: the class's name, what it said, the system's number and file, and where it was."""

    name: str
    message: str
    number: int | None
    file: str | None
    trace: str


@dataclass(frozen=True)
class Message:
    """From a worker: so many users done, or a bucket, or a failure."""

    users: int = 0
    served: Served | None = None
    failed: Failed | None = None


@dataclass
class Worker:
    """A process at work, the line to it, and the bucket that it serves."""

    process: ForkProcess
    line: Connection
    bucket: int = -1


def serve_each(serve: Serve, buckets: Sequence[int], processes: int, advance: Advance) -> Generator[Served]:
    """Serve buckets, in this process where one is enough; see `serve_forked`."""
    if processes > 1:
        yield from serve_forked(serve, buckets, processes, advance)
        return
    for bucket in buckets:
        yield serve(bucket, advance)


def serve_forked(serve: Serve, buckets: Sequence[int], processes: int, advance: Advance) -> Generator[Served]:
    """Serve buckets in processes forked from this one.

    Parameters
    ----------
    serve
        Called in a worker with a bucket and whom to tell of users done.
    buckets
        Each is given to the first worker that is free.
    processes
        How many.
    advance
        Called in this process with the number of users done.

    Yields
    ------
    Served
        As they come.

    Raises
    ------
    EngineError, OSError
        As a worker has raised it; the other workers are ended.
    MachineError
        A worker was ended from outside.
    """
    waiting = iter(buckets)
    crew: list[Worker] = []
    alive = os.pipe()
    try:
        for _ in range(min(processes, len(buckets))):
            crew.append(_fork(serve, alive))
            _hand(crew[-1], waiting)
        while busy := {worker.line: worker for worker in crew if worker.bucket >= 0}:
            ready = []
            for line in wait(list(busy)):
                worker = busy[line]  # type: ignore[index] # these are the lines that were waited for
                message = _receive(worker)
                if message.users:
                    advance(message.users)
                if message.served is not None:
                    _hand(worker, waiting)
                    ready.append(message.served)
            yield from ready  # only now, so that no worker waits while a part is committed
    finally:
        for worker in crew:
            worker.process.kill()
        for worker in crew:
            worker.process.join()
            worker.line.close()
        for end in alive:
            os.close(end)


def _fork(serve: Serve, alive: tuple[int, int]) -> Worker:
    ours, theirs = get_context("fork").Pipe()
    process = get_context("fork").Process(target=_work, args=(serve, theirs, alive), daemon=True)
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until the worker takes no notice of it
    try:
        with warnings.catch_warnings():
            # From Python 3.12 a process with threads is warned: those here, of progress and metrics, hold no lock that
            # a worker takes, for it prints nothing.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    theirs.close()
    return Worker(process, ours)


def _hand(worker: Worker, waiting: Iterator[int]) -> None:
    """Give the next bucket to a worker, or tell it that there is none."""
    worker.bucket = next(waiting, -1)
    worker.line.send_bytes(NO_MORE if worker.bucket < 0 else msgspec.json.encode(worker.bucket))


def _receive(worker: Worker) -> Message:
    try:
        message = msgspec.json.decode(worker.line.recv_bytes(), type=Message)
    except (EOFError, OSError) as error:
        worker.process.join()
        raise MachineError(
            f"the worker process that served bucket {worker.bucket} was ended from outside (exit code "
            f"{worker.process.exitcode}). If the machine ran out of memory, give less --memory or fewer --workers."
        ) from error
    if message.failed is not None:
        raise _raised(message.failed)
    return message


def _raised(failed: Failed) -> BaseException:
    """What a worker has raised, to be raised again here."""
    if failed.name in errors.__all__:
        error: Exception = getattr(errors, failed.name)(failed.message)
        return error
    if failed.number is not None:
        return OSError(failed.number, failed.message, failed.file)
    if failed.name == "MemoryError":
        return MachineError("a worker process had no memory left. Give less --memory or fewer --workers.")
    if failed.name == "KeyboardInterrupt":
        return KeyboardInterrupt()
    return RuntimeError(f"a worker process failed:\n{failed.trace}")


def _work(serve: Serve, line: Connection, alive: tuple[int, int]) -> None:
    """What a worker does until there are no more buckets."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of a terminal's processes; this one is told
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.close(alive[1])
    threading.Thread(target=_end_with, args=(alive[0],), daemon=True).start()

    def tell(message: Message) -> None:
        line.send_bytes(msgspec.json.encode(message))

    try:
        while (given := line.recv_bytes()) != NO_MORE:
            tell(Message(served=serve(msgspec.json.decode(given, type=int), lambda users: tell(Message(users)))))
    except BaseException as error:  # whatever it is, it is told and raised there
        tell(Message(failed=_failed(error)))


def _end_with(alive: int) -> None:
    """End at once when the process that forked this one has ended: nobody else holds the pipe's other end."""
    os.read(alive, 1)
    os._exit(1)


def _failed(error: BaseException) -> Failed:
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, OSError) and error.errno is not None:
        file = None if error.filename is None else str(error.filename)
        return Failed(type(error).__name__, error.strerror or str(error), error.errno, file, trace)
    return Failed(type(error).__name__, str(error), None, None, trace)
