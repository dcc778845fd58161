"""The caches before the API: what they are told to remember files by, and how they are told to forget them.

Public files are served as immutable, so a cache keeps them for a year: what was deleted, replaced or made private is
only gone once every cache has confirmed it. A purge may be repeated; one that failed has to be (the outbox does).
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import aiohttp
from yarl import URL

from bilten.objects.errors import CdnUnavailable
from bilten.settings import Settings

#: Requests to one cache at a time, and keys of one request: caches take 8 KiB of a header.
_AT_ONCE = 8
_KEYS_AT_ONCE = 64
#: What confirms a purge; 404 is how some caches say that they had no such page.
_DONE = frozenset({200, 202, 204, 404, 410})


class Cdn(Protocol):
    """All caches of this deployment."""

    def headers(self, keys: Iterable[str]) -> Mapping[str, str]:
        """What an answer says of itself, so that it can be purged by these keys."""

    async def purge(self, urls: Sequence[str], keys: Sequence[str]) -> None:
        """Return when no cache serves these addresses, or anything that has one of these keys.

        Both name the same files; an adapter takes what it understands. Raises `CdnUnavailable`.
        """

    async def close(self) -> None:
        """End its connections."""


class NoCdn:
    """No cache that anyone could tell anything."""

    def headers(self, keys: Iterable[str]) -> Mapping[str, str]:  # noqa: ARG002 - what the port takes
        """Nothing."""
        return {}

    async def purge(self, urls: Sequence[str], keys: Sequence[str]) -> None:
        """Nothing is remembered anywhere."""

    async def close(self) -> None:
        """Nothing is open."""


class Untold(NoCdn):
    """Caches that nobody tells to forget: they may keep an answer as long as it takes elsewhere until it is gone."""

    def headers(self, keys: Iterable[str]) -> Mapping[str, str]:  # noqa: ARG002 - what the port takes
        """For ten seconds only."""
        return {"Cache-Control": "public, max-age=10"}


class _Caches:
    """The nodes that are told, each by its own address, and how."""

    def __init__(self, settings: Settings) -> None:
        base = str(settings.cdn_base_url)
        self._host = URL(base).host_port_subcomponent or ""
        self._nodes = [URL(node) for node in settings.cdn_purge_urls or [base]]
        token = settings.cdn_purge_token
        self._headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        self._timeout = aiohttp.ClientTimeout(total=settings.cdn_timeout_s)
        self._slots = asyncio.Semaphore(_AT_ONCE * len(self._nodes))
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _everywhere(self, requests: Iterable[tuple[str, Mapping[str, str]]]) -> None:
        """Send `PURGE` of each path, with these headers, to each node. Raises `CdnUnavailable` if any failed."""
        asked = [(node, path, headers) for path, headers in requests for node in self._nodes]
        answers = await asyncio.gather(*(self._ask(*request) for request in asked), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, CdnUnavailable):
                raise answer
        failed = [answer for answer in answers if isinstance(answer, CdnUnavailable)]
        if failed:
            raise CdnUnavailable(f"{len(failed)} of {len(asked)} purges failed; the first: {failed[0]}")

    async def _ask(self, node: URL, path: str, headers: Mapping[str, str]) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar())
        sent = {"Host": self._host, **self._headers, **headers}
        async with self._slots:
            try:
                async with self._session.request(
                    "PURGE", node.join(URL(path, encoded=True)), headers=sent, allow_redirects=False
                ) as answer:
                    status = answer.status
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise self._failed(node, type(error).__name__) from None
        if status not in _DONE:
            raise self._failed(node, f"status {status}")

    @staticmethod
    def _failed(node: URL, reason: str) -> CdnUnavailable:
        return CdnUnavailable(
            f"The cache {node.origin()} did not confirm a purge ({reason}). It is tried again; if it goes on, look at "
            "the cache and at BILTEN_CDN_PURGE*."
        )


class HttpPurge(_Caches):
    """`PURGE` of each address, as Varnish, nginx (commercial) and Squid are told."""

    def headers(self, keys: Iterable[str]) -> Mapping[str, str]:  # noqa: ARG002 - what the port takes
        """Nothing: addresses are enough."""
        return {}

    async def purge(self, urls: Sequence[str], keys: Sequence[str]) -> None:  # noqa: ARG002 - what the port takes
        """Each address at each node, as clients of the CDN ask for it."""
        await self._everywhere((URL(url, encoded=True).raw_path_qs, {}) for url in dict.fromkeys(urls))


class SurrogateKeys(_Caches):
    """`PURGE` of the CDN's base address with a header of keys, as Varnish with xkey is told."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._header = settings.cdn_key_header

    def headers(self, keys: Iterable[str]) -> Mapping[str, str]:
        """The keys in the header that the cache reads."""
        return {self._header: " ".join(keys)}

    async def purge(self, urls: Sequence[str], keys: Sequence[str]) -> None:  # noqa: ARG002 - what the port takes
        """All keys, some to a request."""
        wanted = list(dict.fromkeys(keys))
        pages = (wanted[start : start + _KEYS_AT_ONCE] for start in range(0, len(wanted), _KEYS_AT_ONCE))
        await self._everywhere(("", self.headers(page)) for page in pages)


def cdn_of(settings: Settings) -> Cdn:
    """The caches that the settings name."""
    if settings.cdn_purge == "none":
        return NoCdn() if settings.cdn_base_url is None else Untold()
    return HttpPurge(settings) if settings.cdn_purge == "urls" else SurrogateKeys(settings)
