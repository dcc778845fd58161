"""Is the process alive, can it work, what does the frontend's status badge show; and the index of the API.

`/livez` looks at nothing outside the process: a restart does not mend a database. `/readyz` lists every dependency.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Literal

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from pydantic import BaseModel, Field

from bilten import __version__
from bilten.telemetry.metrics import METRICS
from bilten.web.answers import Answer
from bilten.web.endpoint import endpoint
from bilten.web.errors import Detail, NotFound, ServiceUnavailable
from bilten.web.keys import HEALTH, SETTINGS

#: One result serves all probes of this many seconds.
CACHE_S = 1.0
#: What proxies say of whom they speak for; each of them adds one of these.
_OF_PROXIES = (hdrs.FORWARDED, hdrs.X_FORWARDED_FOR)
#: A dependency that takes longer counts as gone, in seconds.
TIMEOUT_S = 4.0

Check = Callable[[], Awaitable[object]]


class Dependency(BaseModel):
    """One dependency that answered, `degraded` when it does so worse than it should."""

    name: str
    status: Literal["ok", "degraded"]
    latency_ms: float
    message: str | None = None
    engine: str | None = Field(None, description="What makes use of it, where that tells more than its name.")
    version: str | None = Field(None, description="Which version of it is in use, where that is known.")
    made_at: datetime | None = Field(None, description="When that version was made, where that is known.")


@dataclass(frozen=True)
class Known:
    """What a check may return: which version of the dependency is in use."""

    engine: str
    version: str
    made_at: datetime | None


class Degraded(Exception):
    """A check's word for: it can be worked with, but somebody should look after it. Its text says what and how."""

    def __init__(self, message: str, known: Known | None = None) -> None:
        super().__init__(message)
        self.known = known


@dataclass(frozen=True)
class _Result:
    """Of one call of a check: seconds it took, or why the dependency does not answer as it should."""

    took: float | Exception
    known: Known | None


class Health:
    """Runs the checks of this process, at most once a second."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._failings: dict[str, str] = {}
        self._results: dict[str, tuple[float, _Result]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.draining = False

    def add(self, name: str, check: Check, *, failing: str = "does not answer") -> None:
        """Check a dependency by calling something that raises when it is not there; `failing` says that in words.

        One that raises `Degraded` is there. What it returns is told if it is `Known`.
        """
        self._checks[name] = check
        self._failings[name] = failing
        self._locks[name] = asyncio.Lock()

    def remove(self, name: str) -> None:
        """Stop checking a dependency."""
        self._checks.pop(name, None)

    async def of(self, name: str) -> float | Exception:
        """Seconds the dependency took, or why it does not answer."""
        return (await self._check(name)).took

    async def _check(self, name: str) -> _Result:
        async with self._locks[name]:
            last = self._results.get(name)
            if last and time.monotonic() - last[0] < CACHE_S:
                return last[1]
            started = time.perf_counter()
            try:
                answer = await asyncio.wait_for(self._checks[name](), TIMEOUT_S)
                result = _Result(time.perf_counter() - started, answer if isinstance(answer, Known) else None)
            except Exception as error:  # noqa: BLE001 whatever it is, the dependency does not answer
                result = _Result(error, error.known if isinstance(error, Degraded) else None)
            self._results[name] = (time.monotonic(), result)
            return result

    async def report(self) -> list[Dependency]:
        """Every dependency that answers. Raises `ServiceUnavailable` naming those that do not."""
        names = list(self._checks)
        results = dict(zip(names, await asyncio.gather(*map(self._check, names)), strict=True))
        missing: list[Detail] = [
            {"field": name, "code": "UNAVAILABLE", "message": f"The {name.replace('_', ' ')} {self._failings[name]}"}
            for name, result in results.items()
            if isinstance(result.took, Exception) and not isinstance(result.took, Degraded)
        ]
        if self.draining:
            missing.append({"field": "process", "code": "DRAINING", "message": "The process is shutting down"})
        if missing:
            error = ServiceUnavailable("Not ready: " + "; ".join(item["message"] for item in missing), code="NOT_READY")
            error.details = missing
            raise error
        return [_described(name, result) for name, result in results.items()]


def _described(name: str, result: _Result) -> Dependency:
    more = asdict(result.known) if result.known else {}
    if isinstance(result.took, Exception):
        return Dependency(name=name, status="degraded", latency_ms=0, message=str(result.took), **more)
    return Dependency(name=name, status="ok", latency_ms=round(result.took * 1000, 2), **more)


class Alive(Answer):
    """The process answers."""

    status: Literal["OK"] = "OK"


class Ready(Answer):
    """Everything the process needs answers; `DEGRADED` when something does so worse than it should."""

    status: Literal["OK", "DEGRADED"] = "OK"
    dependencies: list[Dependency]


class FrontendHealth(Answer):
    """What the status badge on every page reads."""

    status: Literal["OK"] = "OK"
    message: str
    timestamp: datetime
    version: str


class Index(Answer):
    """What is served here."""

    message: str
    version: str
    endpoints: dict[str, str]
    documentation: str


@endpoint("GET", "/livez", summary="The process answers", at_root=True)
async def livez() -> Alive:
    return Alive()


@endpoint("GET", "/readyz", summary="Everything it needs answers, each with its latency", at_root=True)
async def readyz(request: web.Request) -> Ready:
    dependencies = await request.app[HEALTH].report()
    worse = any(each.status == "degraded" for each in dependencies)
    return Ready(status="DEGRADED" if worse else "OK", dependencies=dependencies)


@endpoint("GET", "/health", summary="What the frontend's status badge reads", tier="F", at_root=True)
async def health(request: web.Request) -> FrontendHealth:
    if isinstance(await request.app[HEALTH].of("database"), Exception):
        raise ServiceUnavailable("The API runs, but its database does not answer. Try again in a moment.")
    return FrontendHealth(message="Bilten API is running", timestamp=datetime.now(UTC), version=__version__)


@endpoint("GET", "", summary="Index of the API")
async def index() -> Index:
    return Index(
        message="Bilten API",
        version=__version__,
        endpoints={name: f"/api/v1/{name}" for name in ("auth", "users", "events", "articles", "wishlist")},
        documentation="/docs",
    )


def exposition(registry: CollectorRegistry) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that shows the registry to the networks of `metrics_networks` only; to others it does not exist.

    Whoever comes through a proxy is one of the others: the address is the proxy's, which is in such a network.
    """

    async def show(request: web.Request) -> web.Response:
        peer = ip_address(request.remote) if request.remote else None
        if peer is None or not any(peer in ip_network(network) for network in request.app[SETTINGS].metrics_networks):
            raise NotFound
        if any(name in request.headers for name in _OF_PROXIES):
            raise NotFound
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    return show


metrics = exposition(METRICS.registry)
