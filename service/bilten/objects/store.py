"""The object store as the rest of the service sees it: buckets of immutable objects, over any server that speaks S3.

Bytes go over the event loop (`transfer`, `multipart`); everything else is a short call of the `minio` package in a pool
of threads of our own, so that a store that hangs takes no thread from the rest of the process.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import urllib3
from minio.commonconfig import CopySource
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error

from bilten.objects.client import connect, signer
from bilten.objects.errors import NoSuchObject
from bilten.objects.multipart import Writer
from bilten.objects.presign import PostForm, presign_post
from bilten.objects.transfer import Body, Place, Transfer, failed
from bilten.settings import Settings

#: Threads of a process, and objects of one page of a list.
_THREADS = 8
_PAGE = 1000
_ABSENT = frozenset({"NoSuchKey", "NoSuchObject", "NotFound"})
_OURS = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


@dataclass(frozen=True)
class Object:
    """What a store knows of an object. `media_type` is told by `stat` only."""

    key: str
    size: int
    etag: str
    modified: datetime
    media_type: str | None = None


class ObjectStore:
    """A process's way to the store. All methods raise `StoreUnavailable`; those of one object also `NoSuchObject`."""

    def __init__(self, settings: Settings) -> None:
        self._client = connect(settings, threads=_THREADS)
        self._public = signer(settings, public=True)
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="objects")
        self._transfer = Transfer(settings, signer(settings), self._executor)
        self._writer = Writer(self._transfer, self._executor)
        # Of a call that is tried again as often as may be.
        self._patience_s = 2 * settings.s3_read_timeout_s + 3 * settings.s3_connect_timeout_s

    async def open(self) -> None:
        """Make calls possible; the store need not be there."""
        await self._transfer.open()

    async def close(self) -> None:
        """End; threads that wait for the store are not waited for."""
        await self._transfer.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def put_file(self, bucket: str, key: str, path: Path, media_type: str) -> bool:
        """Write a file, in parts when it is large. False when there is an object already, which stays as it is.

        That may be of this very call, when the store's confirmation of a first try was lost.
        """
        return await self._writer.put_file(Place(bucket, key), path, media_type)

    async def put_bytes(self, bucket: str, key: str, content: bytes, media_type: str) -> bool:
        """Write something small. False as of `put_file`."""
        return await self._writer.put(Place(bucket, key), content, media_type)

    @asynccontextmanager
    async def reading(
        self, bucket: str, key: str, *, offset: int = 0, length: int | None = None, if_etag: str | None = None
    ) -> AsyncIterator[Body]:
        """Begin to read, so that it is known that the object is there, and its size, before its bytes are passed on.

        A `length` beyond the end gives what there is; an `offset` there is an error, and so is another ETag.
        """
        async with self._transfer.get(Place(bucket, key), offset, length, if_etag) as body:
            yield body

    async def get(
        self, bucket: str, key: str, *, offset: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Read: pieces as they come, with no more than half a megabyte held, however slowly they are taken.

        Whoever does not read to the end closes it (`contextlib.aclosing`).
        """
        async with self.reading(bucket, key, offset=offset, length=length) as body, aclosing(body.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk

    async def stat(self, bucket: str, key: str) -> Object:
        """What the store knows of an object."""
        found = await self._call("looking for", Place(bucket, key), lambda: self._client.stat_object(bucket, key))
        return Object(key, found.size, found.etag, found.last_modified.astimezone(UTC), found.content_type)

    async def copy(self, source: tuple[str, str], target: tuple[str, str], *, if_etag: str | None = None) -> None:
        """Copy within the store, `(bucket, key)` to `(bucket, key)`; with `if_etag` no other bytes than those."""
        origin, place = Place(*source), Place(*target)
        copied = CopySource(*origin, match_etag=if_etag)
        await self._call("copying", origin, lambda: self._client.copy_object(*place, copied))

    async def remove(self, bucket: str, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there count as removed."""
        wanted = [DeleteObject(key) for key in keys]
        place = Place(bucket, f"{len(wanted)} objects")
        errors = await self._call("removing", place, lambda: list(self._client.remove_objects(bucket, wanted)))
        refused = sorted({error.code for error in errors if error.code not in _ABSENT})
        if refused:
            raise failed("removing", place, ", ".join(refused))

    async def walk(self, bucket: str, prefix: str = "") -> AsyncIterator[Object]:
        """All objects whose keys begin so, in the order of their keys, fetched page by page."""
        place = Place(bucket, f"{prefix}*")
        listed = self._client.list_objects(bucket, prefix=prefix, recursive=True)
        while page := await self._call("listing", place, lambda: list(islice(listed, _PAGE))):
            for found in page:
                modified = found.last_modified.astimezone(UTC)
                yield Object(found.object_name, found.size, (found.etag or "").strip('"'), modified)

    async def ensure_bucket(self, bucket: str) -> None:
        """Make a bucket unless it is there."""

        def ensure() -> None:
            try:
                if not self._client.bucket_exists(bucket):
                    self._client.make_bucket(bucket)
            except S3Error as error:
                if error.code not in _OURS:
                    raise

        await self._call("making", Place(bucket, ""), ensure)

    async def abort_incomplete(self, bucket: str, older_than: timedelta, *, dry_run: bool = False) -> int:
        """Drop the parts of uploads that killed processes began so long ago; returns how many uploads.

        1,000 at a time. MinIO lists none to anyone, and drops them by itself after a day. `dry_run` drops none.
        """
        before = datetime.now(UTC) - older_than
        begun = await self._call("listing", Place(bucket, ""), lambda: self._client.begun_uploads(bucket))
        left = [(Place(bucket, key), upload) for key, upload, at in begun if at < before]
        for place, upload in [] if dry_run else left:
            await self._writer.abort(place, upload)
        return len(left)

    def presign_post(
        self, bucket: str, key: str, *, size_range: tuple[int, int], media_type: str, expires: timedelta
    ) -> PostForm:
        """A form with which a browser uploads this object and no other, of this type and so many bytes, until then."""
        return presign_post(self._public, bucket, key, size_range=size_range, media_type=media_type, expires=expires)

    async def _call(self, what: str, place: Place, function: Callable[[], Any]) -> Any:
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.get_running_loop().run_in_executor(self._executor, function)
        except S3Error as error:
            if error.code in _ABSENT:
                raise NoSuchObject(*place) from None
            raise failed(what, place, error.code or "refused") from None
        except (MinioException, urllib3.exceptions.HTTPError, OSError, TimeoutError) as error:
            raise failed(what, place, _reason(error)) from None


def _reason(error: BaseException) -> str:
    """The kind of an error; its text may hold addresses with signatures."""
    cause = getattr(error, "reason", None)
    return type(cause if isinstance(cause, BaseException) else error).__name__
