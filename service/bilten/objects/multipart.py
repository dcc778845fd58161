"""Writing files: in one request, or in parts when large. An object is there whole or not at all.

Objects are never written over: their keys are made for their bytes, so that whoever finds one has what he wants.
"""

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from xml.etree import ElementTree as ET

import structlog

from bilten.objects.errors import StoreUnavailable
from bilten.objects.transfer import Part, Place, Reply, Transfer, failed

#: Files up to one part go in one request. S3 knows 10,000 parts, so a file may have 80 GiB.
PART_BYTES = 8 * 1024 * 1024
#: Parts of one file under way at a time: one is received while the other is written.
_IN_FLIGHT = 2
#: Only where there is none: RFC 9110 §13.1.2.
_IF_NEW = {"If-None-Match": "*"}
_EXISTS = 412
_NOT_IMPLEMENTED = 501

log = structlog.get_logger("bilten.objects")


class Writer:
    """Writes through `transfer`; `executor` reads files."""

    def __init__(self, transfer: Transfer, executor: Executor) -> None:
        self._transfer = transfer
        self._executor = executor

    async def put(self, place: Place, body: bytes | Part, media_type: str) -> bool:
        """Write what fits one request; False when there is an object already. Raises `StoreUnavailable`."""
        headers = {"Content-Type": media_type}
        reply = await self._if_new("PUT", place, {}, headers, body)
        return _made(reply, place)

    async def put_file(self, place: Place, path: Path, media_type: str) -> bool:
        """Write a file; False when there is an object already. Raises `StoreUnavailable`; no part is left then.

        Raises `OSError` for what is a link, or cannot be read.
        """
        loop = asyncio.get_running_loop()
        # What a child has written: were it taken over, the name could be a link to any file of ours.
        fd = await loop.run_in_executor(self._executor, os.open, path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            size = os.fstat(fd).st_size
            if size <= PART_BYTES:
                return await self.put(place, Part(fd, 0, size), media_type)
            return await self._put_parts(place, fd, size, media_type)
        finally:
            os.close(fd)

    async def abort(self, place: Place, upload: str) -> None:
        """Have the store drop the parts of an upload; none is as well. Raises `StoreUnavailable`."""
        reply = await self._transfer.send("aborting", "DELETE", place, query={"uploadId": upload})
        if reply.status not in {200, 204, 404}:
            raise failed("aborting", place, reply.code)

    async def _put_parts(self, place: Place, fd: int, size: int, media_type: str) -> bool:
        reply = await self._transfer.send(
            "writing", "POST", place, query={"uploads": ""}, headers={"Content-Type": media_type}
        )
        upload = _text(_parsed(reply, place, "InitiateMultipartUploadResult"), "UploadId")
        try:
            etags = await self._send_parts(place, upload, fd, size)
            return await self._complete(place, upload, etags, size)
        except BaseException:
            await asyncio.shield(self._give_up(place, upload))
            raise

    async def _send_parts(self, place: Place, upload: str, fd: int, size: int) -> list[str]:
        offsets = range(0, size, PART_BYTES)
        etags = [""] * len(offsets)
        numbered = iter(enumerate(offsets, start=1))

        async def send() -> None:
            for number, offset in numbered:
                part = Part(fd, offset, min(PART_BYTES, size - offset))
                query = {"partNumber": str(number), "uploadId": upload}
                reply = await self._transfer.send("writing", "PUT", place, query=query, body=part)
                etags[number - 1] = reply.headers.get("ETag", "")
                if reply.status != 200 or not etags[number - 1]:  # noqa: PLR2004
                    raise failed("writing", place, reply.code)

        senders = [asyncio.ensure_future(send()) for _ in range(_IN_FLIGHT)]
        try:
            await asyncio.gather(*senders)
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)
        return etags

    async def _complete(self, place: Place, upload: str, etags: list[str], size: int) -> bool:
        listed = ET.Element("CompleteMultipartUpload")
        for number, etag in enumerate(etags, start=1):
            part = ET.SubElement(listed, "Part")
            ET.SubElement(part, "PartNumber").text = str(number)
            ET.SubElement(part, "ETag").text = etag
        headers = {"Content-Type": "application/xml"}
        reply = await self._if_new("POST", place, {"uploadId": upload}, headers, ET.tostring(listed))
        if reply.code == "NoSuchUpload":  # it was done, and the answer that said so was lost
            found = await self._transfer.send("writing", "HEAD", place)
            if found.status == 200 and found.headers.get("Content-Length") == str(size):  # noqa: PLR2004
                return True
        if _made(reply, place):
            _parsed(reply, place, "CompleteMultipartUploadResult")  # a failure may come as 200 too
            return True
        await self._give_up(place, upload)
        return False

    async def _if_new(
        self, method: str, place: Place, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | Part
    ) -> Reply:
        """Write where there is no object yet; a store that does not know the condition is asked without it."""
        for condition in (_IF_NEW, {}):
            reply = await self._transfer.send(
                "writing", method, place, query=query, headers={**headers, **condition}, body=body
            )
            if reply.status != _NOT_IMPLEMENTED:
                break
        return reply

    async def _give_up(self, place: Place, upload: str) -> None:
        try:
            await self.abort(place, upload)
        except StoreUnavailable as error:  # what led here says more; `abort_incomplete` will find it
            log.warning("upload_not_aborted", bucket=place.bucket, key=place.key, reason=str(error))


def _made(reply: Reply, place: Place) -> bool:
    if reply.status == _EXISTS:
        return False
    if reply.status not in {200, 201, 204}:
        raise failed("writing", place, reply.code)
    return True


def _parsed(reply: Reply, place: Place, expected: str) -> ET.Element:
    """An answer's XML. Raises `StoreUnavailable` when it is another one."""
    try:
        tree = ET.fromstring(reply.body)  # noqa: S314 - of our own store, and bounded
    except ET.ParseError:
        raise failed("writing", place, reply.code) from None
    if tree.tag.rpartition("}")[2] != expected:
        raise failed("writing", place, reply.code)
    return tree


def _text(tree: ET.Element, name: str) -> str:
    return tree.findtext(f"{{*}}{name}") or ""
