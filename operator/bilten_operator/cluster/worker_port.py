"""What a worker tells on its port of the scanner it uses.

Whoever wrote the spec decides which image answers. So an answer has little time and a longest length, what it says is
taken only in the form that a status can have, and where a redirection leads is not asked.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

import aiohttp
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from bilten_operator.cluster.cache import Key
from bilten_operator.plan.model import Answer, Question, Signatures

log = logging.getLogger(__name__)

#: From connecting to the last byte.
TIMEOUT_S = 2.0
LARGEST_ANSWER = 64 * 1024
#: Workers asked at once.
AT_ONCE = 16
_DEPENDENCY = "virus_signatures"
#: Of these years a time can be written in any zone.
_YEARS = range(2000, 2200)


def _plausible(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        raise ValueError("not a time of any signatures")
    return moment.astimezone(UTC)


_Word = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]{0,126}[!-~])?$")]


class _Known(BaseModel):
    engine: _Word
    version: _Word
    made_at: Annotated[AwareDatetime, AfterValidator(_plausible)] | None = None


class _Ready(BaseModel):
    dependencies: Annotated[list[dict[str, Any]], Field(max_length=64)]


class WorkerPorts:
    """Asks workers, in the network of pods."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def ask(self, question: Question) -> Signatures | None:
        """What it tells; None where it tells nothing that can be used, or not in time."""
        try:
            async with self._slots, asyncio.timeout(self._timeout_s):
                body = await _fetched(question)
            return _read(body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.debug("The worker at %s does not tell of its scanner: %s", question.host, type(error).__name__)
            return None


class Questions:
    """Those of plans, and what became of the latest of each instance. They hold nothing up: whoever is asked and does
    not answer is waited for beside all else."""

    def __init__(
        self,
        ports: WorkerPorts | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        answered: Callable[[Key], None] = lambda _: None,
    ) -> None:
        """`answered` is called with an instance of which something else was told than before."""
        self._ports = ports or WorkerPorts()
        self._clock = clock
        self._answered = answered
        self._answers: dict[Key, Answer] = {}
        self._asking: dict[Key, asyncio.Task[None]] = {}

    def answer(self, key: Key) -> Answer | None:
        """What became of the latest."""
        return self._answers.get(key)

    def ask(self, key: Key, question: Question) -> None:
        """Ask, unless that is being done."""
        if key not in self._asking:
            self._asking[key] = asyncio.create_task(self._ask(key, question), name="ask a worker")

    def forget(self, key: Key) -> None:
        """The instance is gone."""
        self._answers.pop(key, None)

    async def _ask(self, key: Key, question: Question) -> None:
        before = self._answers.get(key)
        try:
            told = await self._ports.ask(question)
            failures = 0 if told else 1 + (before.failures if before and before.question == question else 0)
            self._answers[key] = Answer(question, self._clock(), told, failures)
        finally:
            del self._asking[key]
        if told and (before is None or told != before.signatures):
            self._answered(key)


async def _fetched(question: Question) -> bytes:
    host = f"[{question.host}]" if ":" in question.host else question.host
    address = f"http://{host}:{question.port}/readyz"
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as session,
        session.get(address, allow_redirects=False) as answer,
    ):
        if answer.status != HTTPStatus.OK:
            raise ValueError("not ready")
        body = bytearray()
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise ValueError("too long")
        return bytes(body)


def _read(body: bytes) -> Signatures | None:
    """Raises ValueError."""
    for dependency in _Ready.model_validate_json(body).dependencies:
        if dependency.get("name") == _DEPENDENCY:
            known = _Known.model_validate(dependency)
            return Signatures(known.engine, known.version, known.made_at)
    return None
