"""Which clean versions lack bytes: rows and the listing of the media bucket, read side by side, both in order of ids.

Neither is ever in memory whole. What the listing lacks is asked for by itself before it counts as lost: it may have
been removed with its row since that was read, and not every store lists in order.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from uuid import UUID

import asyncpg

from bilten.db.database import Database
from bilten.files import sweep_queries
from bilten.files.addresses import original_key
from bilten.objects.errors import NoSuchObject
from bilten.objects.store import ObjectStore

#: Where a whole bucket is lost, more of it need not be asked for one by one.
MOST = 1000
#: After every key there may be.
_END = "\U0010ffff"


class _Listing:
    """The keys of a bucket in order, taken as far as they are wanted."""

    def __init__(self, keys: AsyncIterator[str]) -> None:
        self._keys = keys
        self._next: str | None = None

    async def upto(self, bound: str) -> set[str]:
        """Those that were not taken before, and do not come after the bound."""
        taken: set[str] = set()
        while True:
            if self._next is None:
                self._next = await anext(self._keys, None)
            if self._next is None or self._next > bound:
                return taken
            taken.add(self._next)
            self._next = None


async def lost(
    db: Database, store: ObjectStore, bucket: str, keys: AsyncIterator[str], *, before: datetime, batch: int
) -> AsyncIterator[tuple[UUID, str]]:
    """Clean versions that were looked at before then, each with one of its keys that is not there; at most `MOST`.

    `keys` are all of the bucket's, in order; all of them are taken.
    """
    listing, found = _Listing(keys), set[UUID]()
    for expected, bound in _KINDS:
        last = UUID(int=0)
        while rows := await sweep_queries.clean_versions(db, after=last, at_most=batch):
            last = rows[-1]["id"]
            there = await listing.upto(bound(rows[-1]["id"]))
            for row in rows:
                if row["scanned_at"] < before and len(found) < MOST and row["id"] not in found:
                    for key in sorted(expected(row) - there):
                        if await _is_lost(db, store, bucket, row["id"], key):
                            found.add(row["id"])
                            yield row["id"], key
                            break
    await listing.upto(_END)


async def _is_lost(db: Database, store: ObjectStore, bucket: str, version_id: UUID, key: str) -> bool:
    try:
        await store.stat(bucket, key)
    except NoSuchObject:
        return await sweep_queries.is_clean(db, version_id)
    return False


def _shown(row: asyncpg.Record) -> set[str]:
    return {row["served_key"], *row["variant_keys"]}


def _original(row: asyncpg.Record) -> set[str]:
    return {original_key(row["id"])} if row["variant_keys"] else set()


#: In the order of the keys in the bucket: `<version>-<hash>.<extension>`, then `originals/<version>`. What a version is
#: expected to have of them, and what comes right after the last key of one.
_KINDS: tuple[tuple[Callable[[asyncpg.Record], set[str]], Callable[[UUID], str]], ...] = (
    (_shown, lambda version_id: f"{version_id.hex}~"),
    (_original, lambda version_id: f"{original_key(version_id)}~"),
)
