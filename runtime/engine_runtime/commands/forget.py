"""`engine forget`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_runtime.commands import console
from engine_runtime.commands.options import (
    EXISTING,
    EXISTING_DIRECTORY,
    json_option,
    overlay_option,
    threads_option,
)

if TYPE_CHECKING:
    from engine_runtime.artefacts.receipt import Receipt
    from engine_runtime.data.survey import Request
    from engine_runtime.serve.sought import Findings

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Take users out of all that is kept of them.")
@click.argument("user", nargs=-1)
@click.option("--users", "user_files", type=FILE, multiple=True, help="File of users, an id a line.")
@click.option("--item", "items", multiple=True, help="An item that is to go, with all events on it.")
@click.option("--items", "item_files", type=FILE, multiple=True, help="File of items, an id a line.")
@click.option(
    "--event",
    "events",
    type=(str, str, int),
    multiple=True,
    metavar="USER ITEM TIME",
    help="One event; TIME in seconds since 1970, -1 where it has none.",
)
@click.option(
    "--dataset", type=EXISTING_DIRECTORY, multiple=True, required=True, help="A data set; may be given several times."
)
@click.option("--output", type=EXISTING_DIRECTORY, multiple=True, help="An output of serve-batch; as often as needed.")
@click.option("--index", type=EXISTING_DIRECTORY, help="The index; items leave it.")
@click.option("--bundle", type=EXISTING_DIRECTORY, help="What the index was made with; only items need it.")
@click.option("--cache", type=EXISTING_DIRECTORY, help="The folder that --cache of other commands names.")
@overlay_option
@click.option("--scan", type=EXISTING, multiple=True, help="File or folder to look through as well, as of logs.")
@click.option("--receipt", type=click.Path(dir_okay=False, path_type=Path), help="Where the receipt goes; a new file.")
@click.option("--memory", default="2GB", show_default=True, help="Memory to stay within; beyond it, disk is used.")
@threads_option
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@json_option
def forget(
    user: tuple[str, ...],
    user_files: tuple[Path, ...],
    items: tuple[str, ...],
    item_files: tuple[Path, ...],
    events: tuple[tuple[str, str, int], ...],
    dataset: tuple[Path, ...],
    output: tuple[Path, ...],
    index: Path | None,
    bundle: Path | None,
    cache: Path | None,
    overlay: Path | None,
    scan: tuple[Path, ...],
    receipt: Path | None,
    memory: str,
    threads: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Forget USERs, items or events: in data sets, outputs, an index, a cache and corrections, with a receipt.

    Each data set becomes, byte for byte, what ingest makes of files that never held them. Rows of the others in an
    output stay as they are. Then all files are looked through for what should be gone. Each artefact is replaced in one
    step; after a run that was stopped, call the same again. Raw files, backups and bundles are not touched.

    \b
    Example:
      engine forget 405 --dataset dataset --output profiles --receipt 405.json
      engine forget --users asked.txt --dataset dataset --output profiles --scan logs/ --receipt asked.json
      engine forget --item B0001 --dataset dataset --index index --bundle bundle --cache vectors
    """
    from engine_runtime.artefacts.receipt import check_place, write_receipt
    from engine_runtime.errors import ArtefactError
    from engine_runtime.serve.erasure import erase
    from engine_runtime.serve.sought import Places, find

    if receipt is not None:
        check_place(receipt)
    request = _request(user, user_files, items, item_files, events)
    datasets, outputs = (tuple(dict.fromkeys(paths)) for paths in (dataset, output))
    found = find(request, Places(datasets, outputs, index, bundle, cache, overlay, scan))
    if dry_run:
        _show_findings(found, as_json=as_json)
        return
    given = erase(found, memory=memory, threads=threads, report=console.note)
    if receipt is not None:
        write_receipt(given, receipt)
    _show(given, as_json=as_json)
    if given.scan.traces:
        first = given.scan.traces[0]
        raise ArtefactError(
            f"{len(given.scan.traces)} places still hold something of what was to be forgotten, the first: {first.path}"
            f" ({first.place}, {first.what}). Remove or redact what is there and call this again."
        )


def _request(
    users: tuple[str, ...],
    user_files: tuple[Path, ...],
    items: tuple[str, ...],
    item_files: tuple[Path, ...],
    events: tuple[tuple[str, str, int], ...],
) -> Request:
    """What was asked for on the command line and in files."""
    from engine_runtime.data.survey import Event, Request
    from engine_runtime.errors import UsageError

    request = Request(
        frozenset(users).union(*map(_lines, user_files)),
        frozenset(items).union(*map(_lines, item_files)),
        frozenset(Event(*event) for event in events),
    )
    if not request.lines:
        raise UsageError("nothing was named that is to be forgotten. Name a USER, or give --users, --item or --event.")
    return request


def _lines(path: Path) -> list[str]:
    """The ids of a file, blanks at their ends cut off."""
    from engine_runtime.errors import InputError

    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8: {error}. Give one id a line.") from error
    return [line.strip() for line in lines if line.strip()]


def _show_findings(found: Findings, *, as_json: bool) -> None:
    rows = [
        ("dataset", str(one.dataset.root), int(one.users.sum()), int(one.items.sum()), one.n_events)
        for one in found.surveys
    ]
    rows += [
        ("output", str(output.root), len(held.users), len(held.items), 0)
        for output, held in zip(found.outputs, found.held, strict=True)
    ]
    if corrected := found.places.corrected & found.request.users:
        rows.append(("corrections", str(found.places.overlay), len(corrected), 0, 0))
    if as_json:
        names = ("kind", "path", "users", "items", "events")
        console.emit({"artefacts": [dict(zip(names, row, strict=True)) for row in rows]})
        return
    console.table("Would go", ["", "users", "items", "events"], [[f"{r[0]} {r[1]}", *map(str, r[2:])] for r in rows])


def _show(receipt: Receipt, *, as_json: bool) -> None:
    import msgspec

    if as_json:
        console.emit(msgspec.to_builtins(receipt))
        return
    rows = [
        [f"{one.kind} {one.path}", ", ".join(f"{count:,} {what}" for what, count in one.removed.items()) or "nothing"]
        for one in receipt.artefacts
    ]
    if receipt.corrected:
        rows.append(["corrections", f"{receipt.corrected:,} users"])
    console.table("Removed", ["", ""], rows)
    scan = receipt.scan
    each = "" if receipt.seconds_per_user is None else f", {1000 * receipt.seconds_per_user:,.1f} ms a user"
    click.echo(f"{receipt.seconds:.2f} s{each}; {scan.files:,} files looked through, {len(scan.traces)} traces")
