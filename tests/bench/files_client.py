"""A client that costs as little as it can: what it sends is in memory, and goes out in pieces that are not copied."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

#: Of a body, at a time.
_PIECE = 256 * 1024
_BOUNDARY = "bilten-bench-2c6a1f"
_OPEN = ("pending", "scanning")
_LOOK_EVERY_S = 0.05


class Refused(RuntimeError):
    """An answer that should have been another one."""


class Client:
    """Somebody with files."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._base = f"{url}/api/v1"
        self._headers: dict[str, str] = {}

    async def sign_in(self, email: str, password: str) -> None:
        """All calls from now on are this user's."""
        answer = await self.call("POST", "/auth/login", json={"email": email, "password": password})
        self._headers = {"Authorization": f"Bearer {answer['data']['token']}"}

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """What the API answers. Raises `Refused` unless that is a success."""
        async with self._session.request(method, self._base + path, headers=self._headers, **options) as answer:
            return await _told(answer)

    async def upload(self, content: bytes, name: str, media_type: str, *, wait: int = 0) -> dict[str, Any]:
        """`POST /files`: the file."""
        headers, body = form({}, content, name, media_type)
        url = f"{self._base}/files?wait={wait}"
        async with self._session.post(url, data=body, headers={**self._headers, **headers}) as answer:
            file: dict[str, Any] = (await _told(answer))["data"]["file"]
            return file

    async def upload_directly(
        self, content: bytes, name: str, media_type: str, sha256: str
    ) -> tuple[dict[str, Any], float]:
        """The file, and for how many seconds the store took its bytes, whose hash is known already."""
        wanted = {"name": name, "media_type": media_type, "size_bytes": len(content), "sha256": sha256}
        begun = (await self.call("POST", "/files/uploads", json=wanted))["data"]["upload"]
        headers, body = form(begun["fields"], content, name, media_type)
        posted = time.monotonic()
        async with self._session.post(begun["url"], data=body, headers=headers) as answer:
            if answer.status not in (200, 201, 204):
                raise Refused(f"the object store: {answer.status} {await answer.text()}")
        took_s = time.monotonic() - posted
        file = (await self.call("POST", f"/files/uploads/{begun['id']}/complete"))["data"]["file"]
        return file, took_s

    async def ended(self, file: dict[str, Any]) -> dict[str, Any]:
        """The file once it has its end."""
        while file["status"] in _OPEN:
            await asyncio.sleep(_LOOK_EVERY_S)
            file = (await self.call("GET", f"/files/{file['id']}"))["data"]["file"]
        return file

    async def delete(self, file: dict[str, Any]) -> None:
        """`DELETE /files/{file_id}`."""
        await self.call("DELETE", f"/files/{file['id']}")


async def _told(answer: aiohttp.ClientResponse) -> Any:
    if answer.status >= 400:
        raise Refused(f"{answer.method} {answer.url.path}: {answer.status} {await answer.text()}")
    return await answer.json()


def form(
    fields: Mapping[str, str], content: bytes, name: str, media_type: str
) -> tuple[dict[str, str], AsyncIterator[memoryview]]:
    """Headers and body of a multipart form with these fields, and then this file."""
    texts = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    )
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    head = f"{texts}--{_BOUNDARY}\r\n{disposition}\r\nContent-Type: {media_type}\r\n\r\n".encode()
    parts = [memoryview(part) for part in (head, content, f"\r\n--{_BOUNDARY}--\r\n".encode())]

    async def body() -> AsyncIterator[memoryview]:
        for part in parts:
            for at in range(0, len(part), _PIECE):
                yield part[at : at + _PIECE]

    length = str(sum(map(len, parts)))
    return {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}", "Content-Length": length}, body()
