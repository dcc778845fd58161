"""`bilten files`: sweep both buckets, have old files scanned again, check that everything is there."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

from bilten.beside import borrow_settings
from bilten.db.database import Database
from bilten.db.errors import DatabaseUnavailable
from bilten.files.intake import RESERVED_S
from bilten.files.rescan import Walk
from bilten.files.scan import Inspector
from bilten.files.sweep import GRACE, Found, Sweeper
from bilten.objects.errors import StoreUnavailable
from bilten.objects.store import ObjectStore
from bilten.scanning.choice import scanner_of
from bilten.scanning.errors import ScanUnavailable
from bilten.scanning.workshop import Workshop
from bilten.settings import Settings, SettingsError, load

_DONE, _FOUND, _UNUSABLE = 0, 1, 2
#: Lines of one kind that are shown.
AT_MOST = 50
#: Bytes are put away before their row is written, by so many minutes at most.
_SHORTEST_MINUTES = int(RESERVED_S // 60)


def main(argv: Sequence[str]) -> int:
    """Run one command. 0 when all was in order, 1 when something was found, 2 when it could not be run."""
    arguments = _parser().parse_args(argv)
    try:
        borrow_settings()
        return asyncio.run(_run(arguments, load()))
    except SettingsError as error:
        sys.stderr.write(f"bilten files: {error}\n")
    except DatabaseUnavailable as error:
        sys.stderr.write(f"The database does not answer: {error}. Check BILTEN_DATABASE_URL, then try again.\n")
    except (StoreUnavailable, ScanUnavailable) as error:
        sys.stderr.write(f"{error}\n")
    return _UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bilten files", description="Look after the bytes of files.")
    commands = parser.add_subparsers(dest="command", metavar="sweep | verify | rescan", required=True)
    sweep = commands.add_parser("sweep", help="remove objects that no row knows, and end what was given up")
    sweep.add_argument("--dry-run", action="store_true", help="change nothing, say what would be done")
    sweep.add_argument(
        "--grace-minutes",
        type=_grace,
        default=GRACE,
        dest="grace",
        metavar="MINUTES",
        help=f"leave alone what is younger; at least {_SHORTEST_MINUTES}, as uploads may be under way for so long",
    )
    commands.add_parser("verify", help="say what rows and buckets do not agree on; changes nothing")
    commands.add_parser("rescan", help="have clean files that were scanned with other signatures scanned again")
    return parser


def _grace(text: str) -> timedelta:
    minutes = int(text)
    if minutes < _SHORTEST_MINUTES:
        raise argparse.ArgumentTypeError(
            f"{minutes} is too short: bytes of uploads that are under way would go. Wait {_SHORTEST_MINUTES} minutes."
        )
    return timedelta(minutes=minutes)


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    if settings.s3_endpoint is None:
        sys.stderr.write("bilten files: no object store is set up. Name one with BILTEN_S3_ENDPOINT.\n")
        return _UNUSABLE
    async with AsyncExitStack() as ending:
        db, store = Database(settings), ObjectStore(settings)
        for each in (db, store):
            await each.open()
            ending.push_async_callback(each.close)
        if arguments.command == "rescan":
            scanner, workshop = scanner_of(settings), Workshop(settings)
            ending.push_async_callback(scanner.close)
            ending.push_async_callback(workshop.close)
            return await _rescan(Inspector(settings, db, store, scanner, workshop))
        verify = arguments.command == "verify"
        grace = GRACE if verify else arguments.grace
        sweeper = Sweeper(settings, db, store, grace, tell=lambda what: print(f"… {what}", flush=True))  # noqa: T201
        dry_run = verify or arguments.dry_run
        return _tell(await sweeper.sweep(dry_run=dry_run), dry_run=dry_run)


async def _rescan(inspector: Inspector) -> int:
    current = await inspector.scanner.version()
    queued = await Walk(inspector).step(current)
    sys.stdout.write(f"{queued} files are queued, for {current.engine} with signatures {current.signatures}.\n")
    if queued:
        sys.stdout.write("The worker scans them, and queues the next ones by itself.\n")
    return _DONE


def _tell(found: Found, *, dry_run: bool) -> int:
    if found.nothing:
        sys.stdout.write("Rows and buckets agree.\n")
        return _DONE
    for said, each in (
        ("objects that no row knows", found.orphans),
        ("clean versions whose bytes are gone", found.lost),
        ("versions whose scan nobody was asked for any more", found.stuck),
        ("pictures that nothing shows", found.unshown),
    ):
        if each:
            sys.stdout.write(f"{len(each)} {said}\n")
            sys.stdout.writelines(f"  {one}\n" for one in each[:AT_MOST])
    if found.partial:
        sys.stdout.write(f"{found.partial} objects of which only parts are there\n")
    if found.abandoned:
        sys.stdout.write(f"{found.abandoned} uploads that were given up\n")
    sys.stdout.write("Nothing was changed.\n" if dry_run else "Mended, but for bytes that are gone.\n")
    return _FOUND
