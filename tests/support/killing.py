"""Processes of Bilten that are stopped at one step by what is around them, killed there, and what is left of them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from bilten.files.sweep import Sweeper
from bilten.settings import Settings
from pydantic import SecretStr
from support.house import House
from support.jobs import change, until

#: Of the settings of an API within the test, those that make another process one of the same deployment.
_SHARED = (
    "database_url", "secret_key", "token_keys", "s3_endpoint", "s3_access_key", "s3_secret_key", "s3_region",
    "s3_quarantine_bucket", "s3_media_bucket", "spool_dir", "clamd_socket", "public_url",
)  # fmt: skip
#: Longer than a test holds a process up.
_LONG = {"database_lock_timeout_ms": "100000", "database_statement_timeout_ms": "100000"}


def same_deployment(settings: Settings, **changes: Any) -> dict[str, str]:
    """Settings of another process, as text."""
    values = {name: getattr(settings, name) for name in _SHARED} | _LONG | changes
    plain = {name: each.get_secret_value() if isinstance(each, SecretStr) else each for name, each in values.items()}
    return {name: str(each) for name, each in plain.items() if each is not None}


def variables(settings: dict[str, str]) -> dict[str, str]:
    """The same for an environment."""
    return {f"BILTEN_{name.upper()}": value for name, value in settings.items()}


@asynccontextmanager
async def held(database_url: str, table: str, *, readers: bool = True) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A table that nobody else may write to, or even read, meanwhile. What is yielded waits for one who would."""
    connection, watch = [await asyncpg.connect(database_url) for _ in range(2)]
    try:
        async with connection.transaction():
            await connection.execute(f"lock table {table} in {'' if readers else 'access '}exclusive mode")

            async def waiting() -> bool:
                sql = "select exists (select from pg_locks where not granted and relation = $1::regclass)"
                found: bool = await watch.fetchval(sql, table)
                return found

            yield lambda: until(waiting)
    finally:
        await connection.close()
        await watch.close()


async def remains(house: House) -> dict[str, Any]:
    """All that there is of files: rows, what is counted of quotas, objects, parts of objects, temporary files."""
    settings, fetch = house.api.settings, house.api.db.fetchval
    assert settings.spool_dir is not None
    buckets = (settings.s3_quarantine_bucket, settings.s3_media_bucket)
    begun = [await asyncio.to_thread(house.store._client.begun_uploads, each) for each in buckets]  # noqa: SLF001
    return {
        "files": await fetch("select count(*) from files"),
        "used": int(await fetch("select coalesce(sum(used_bytes), 0) from file_quotas")),
        "reserved": int(await fetch("select coalesce(sum(reserved_bytes), 0) from file_quotas")),
        "reservations": await fetch("select count(*) from quota_reservations"),
        "objects": await house.keys(),
        "parts": sum(map(len, begun)),
        "bytes on disk": left_on_disk(settings.spool_dir),
    }


def nothing(**but: Any) -> dict[str, Any]:
    """What remains of nothing."""
    none = {"files": 0, "used": 0, "reserved": 0, "reservations": 0, "parts": 0, "bytes on disk": []}
    return {**none, "objects": {"quarantine": [], "media": []}, **but}


def left_on_disk(folder: Path) -> list[str]:
    """Files in the folders of uploads and scans, but for the locks of processes that live."""
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file() and each.name != "lock")


async def time_passes(house: House) -> None:
    """Reservations and leases of those who were killed are over."""
    past = "created_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'"
    await change(house.api.db, f"update quota_reservations set {past}")  # noqa: S608 a constant
    await change(house.api.db, "update jobs set locked_until = now() - interval '1 second' where locked_by is not null")
    await change(house.api.db, "update jobs set run_at = now() where finished_at is null")


async def swept(house: House) -> None:
    """Sweep as if all that is there were old; a second look finds nothing."""
    sweeper = Sweeper(house.api.settings, house.api.db, house.store, timedelta(seconds=-60))
    await sweeper.sweep()
    again = await sweeper.sweep(dry_run=True)
    assert again.nothing, again


async def command(settings: Settings, *words: str) -> tuple[int, str]:
    """`bilten …` of the same deployment: its exit status and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bilten", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], **variables(same_deployment(settings))},
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()
