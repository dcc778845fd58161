"""`bilten jobs`: what the outbox holds, which jobs were given up, and another chance for them."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from bilten.beside import borrow_settings
from bilten.db.database import Database
from bilten.db.errors import DatabaseUnavailable
from bilten.jobs import queries
from bilten.settings import Settings, SettingsError, load

#: Rows one listing shows.
AT_MOST = 200

_DONE, _NOTHING, _UNUSABLE = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    """Run one command. 0 when it did something, 1 when there was nothing to do it to, 2 when it could not be run."""
    arguments = _parser().parse_args(argv)
    try:
        borrow_settings()
        return asyncio.run(_run(arguments, load()))
    except SettingsError as error:
        sys.stderr.write(f"bilten jobs: {error}\n")
    except DatabaseUnavailable as error:
        sys.stderr.write(f"The database does not answer: {error}. Check BILTEN_DATABASE_URL, then try again.\n")
    except IntegrityError:
        sys.stderr.write(
            "Nothing was changed: an open job stands for the same thing as one of these. "
            "Let it run, or retry the others one by one.\n"
        )
    return _UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bilten jobs", description="Look at the outbox, and retry what was given up.")
    commands = parser.add_subparsers(dest="command", metavar="list | dead | retry")
    commands.add_parser("list", help=f"the newest {AT_MOST} jobs (also without a command)")
    commands.add_parser("dead", help="dead letters: jobs that failed at every attempt")
    retry = commands.add_parser("retry", help="make dead letters due again")
    chosen = retry.add_mutually_exclusive_group(required=True)
    chosen.add_argument("id", nargs="?", type=UUID, help="the job's id")
    chosen.add_argument("--all-dead", action="store_true", help="all dead letters")
    return parser


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    db = Database(settings)
    await db.open()
    try:
        if arguments.command == "retry":
            return await _retry(db, arguments.id)
        return await _list(db, dead_only=arguments.command == "dead")
    finally:
        await db.close()


async def _retry(db: Database, id: UUID | None) -> int:
    async with db.transaction() as tx:
        revived = await queries.revive(tx, None if id is None else [id])
    if not revived:
        sys.stderr.write("There are no dead letters.\n" if id is None else f"{id} is not a dead letter.\n")
        return _NOTHING
    sys.stdout.write(f"{revived} {'job is' if revived == 1 else 'jobs are'} due again.\n")
    return _DONE


async def _list(db: Database, *, dead_only: bool) -> int:
    async with db.transaction() as tx:
        rows = await queries.overview(tx, dead_only=dead_only, at_most=AT_MOST)
    if not rows:
        sys.stdout.write("There are no dead letters.\n" if dead_only else "The outbox is empty.\n")
        return _DONE
    table = [("ID", "KIND", "STATE", "ATTEMPTS", "CREATED", "LAST ERROR"), *map(_cells, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]) - 1)]
    for *cells, error in table:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        sys.stdout.write("  ".join([*padded, error]).rstrip() + "\n")
    return _DONE


def _cells(job: Any) -> tuple[str, ...]:
    return (
        str(job.id),
        job.kind,
        _state(job),
        f"{job.attempts}/{job.max_attempts}",
        f"{job.created_at:%Y-%m-%d %H:%M:%S}",
        job.last_error or "",
    )


def _state(job: Any) -> str:
    if job.dead_at:
        return "dead"
    if job.finished_at:
        return "done"
    if job.locked_by:
        return "leased"
    return "failed" if job.attempts else "waiting"
