"""Whatever answers on a worker's port costs little time and room, and nothing of it is believed but its form allows."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from bilten_operator.cluster.cache import Key
from bilten_operator.cluster.worker_port import LARGEST_ANSWER, Questions, WorkerPorts
from bilten_operator.plan.model import Answer, Question, Signatures
from support.jobs import until

KNOWN = {
    "name": "virus_signatures", "status": "ok", "latency_ms": 0.1, "message": None, "engine": "clamav 1.4.3",
    "version": "27400", "made_at": "2026-11-22T10:13:56+01:00",
}  # fmt: skip
KEY = Key("shop", "bilten")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def port(handler: Handler) -> AsyncIterator[Question]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Question("uid", "127.0.0.1", runner.addresses[0][1])
    finally:
        await runner.cleanup()


def saying(body: bytes | str, status: int = 200, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=headers)

    return answer


def ready(**changes: Any) -> str:
    """What a worker answers."""
    return json.dumps({"success": True, "status": "OK", "dependencies": [{"name": "database"}, {**KNOWN, **changes}]})


async def test_what_a_worker_says_of_its_signatures_is_read():
    async with port(saying(ready())) as question:
        made_at = datetime(2026, 11, 22, 9, 13, 56, tzinfo=UTC)
        assert await WorkerPorts().ask(question) == Signatures("clamav 1.4.3", "27400", made_at)


async def test_signatures_may_have_no_date_and_be_too_old():
    async with port(saying(ready(made_at=None, status="degraded", message="They are 3 days old"))) as question:
        assert await WorkerPorts().ask(question) == Signatures("clamav 1.4.3", "27400", None)


@pytest.mark.parametrize(
    "body",
    [
        "", "well", "[]", "{}", '{"dependencies": null}', '{"dependencies": []}', '{"dependencies": [1]}', "[" * 50_000,
        ready(engine=None), ready(version=None), ready(engine=""), ready(version="a" * 200), ready(version="a\nb"),
        ready(engine="clamav\u202e"), ready(version=5), ready(made_at="yesterday"),
        ready(made_at="2026-11-22T09:13:56"),
        ready(made_at="0001-01-01T00:00:00+14:00"), ready(made_at="9999-12-31T23:59:59-12:00"), ready(made_at=1e300),
        ready(name="database"), ready() + " " * LARGEST_ANSWER,
    ],
)  # fmt: skip
async def test_nothing_else_is_believed(body: str):
    async with port(saying(body)) as question:
        assert await WorkerPorts().ask(question) is None


async def test_a_worker_that_is_not_ready_tells_nothing():
    async with port(saying(ready(), status=503)) as question:
        assert await WorkerPorts().ask(question) is None


async def test_what_is_packed_is_not_unpacked():
    async with port(saying(gzip.compress(ready().encode()), **{"Content-Encoding": "gzip"})) as question:
        assert await WorkerPorts().ask(question) is None


async def test_a_redirection_is_not_followed():
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with port(answer) as question:
        assert await WorkerPorts().ask(question) is None
    assert asked == ["/readyz"]


async def test_an_answer_that_drips_has_an_end():
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    async with port(answer) as question:
        began = time.monotonic()
        assert await WorkerPorts(timeout_s=0.3).ask(question) is None
        assert 0.3 <= time.monotonic() - began < 30


async def test_an_endless_answer_is_cut_off():
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65536)

    async with port(answer) as question:
        assert await WorkerPorts(timeout_s=60).ask(question) is None


async def test_where_nobody_listens_there_is_no_answer():
    async with port(saying("")) as question:
        pass
    assert await WorkerPorts().ask(question) is None


async def test_an_instance_is_asked_once_at_a_time_and_who_waits_is_woken():
    asked, woken, go_on = [], asyncio.Queue[Key](), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        await go_on.wait()
        return web.Response(text=ready())

    questions = Questions(WorkerPorts(timeout_s=60), answered=woken.put_nowait)
    async with port(answer) as question:
        questions.ask(KEY, question)
        questions.ask(KEY, question)
        assert questions.answer(KEY) is None
        go_on.set()
        assert await asyncio.wait_for(woken.get(), 60) == KEY
    assert asked == ["/readyz"]
    found = questions.answer(KEY)
    assert found
    assert found.signatures
    assert (found.question, found.failures) == (question, 0)
    questions.forget(KEY)
    assert questions.answer(KEY) is None


async def test_failures_of_the_same_worker_are_counted_and_wake_nobody():
    woken: list[Key] = []
    questions = Questions(WorkerPorts(timeout_s=60), answered=woken.append)
    async with port(saying("no")) as one, port(saying("no")) as other:
        counted = [(await answered(questions, question)).failures for question in (one, one, one, other)]
    assert counted == [1, 2, 3, 1]
    assert woken == []


async def test_what_was_told_before_is_no_news():
    woken: list[Key] = []
    questions = Questions(WorkerPorts(timeout_s=60), answered=woken.append)
    async with port(saying(ready())) as same, port(saying(ready(version="27401"))) as other:
        for question, news in ((same, 1), (same, 1), (other, 2)):
            await answered(questions, question)
            assert len(woken) == news


async def answered(questions: Questions, question: Question) -> Answer:
    """What becomes of the question."""
    before = questions.answer(KEY)
    questions.ask(KEY, question)
    await until(lambda: questions.answer(KEY) is not before)
    found = questions.answer(KEY)
    assert found
    return found
