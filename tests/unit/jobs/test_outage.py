"""An outage is told once, and its end once, however many ask at the same time."""

import asyncio

import pytest
import structlog
from bilten.db.errors import DatabaseUnavailable
from bilten.jobs import outage
from bilten.jobs.outage import Patience
from structlog.testing import CapturingLogger, LogCapture


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> LogCapture:
    capture = LogCapture()
    monkeypatch.setattr(outage, "log", structlog.wrap_logger(CapturingLogger(), processors=[capture]))
    return capture


async def gone() -> str:
    raise DatabaseUnavailable("away")


async def there() -> str:
    return "there"


async def test_what_was_asked_during_the_outage_and_fails_after_its_end_is_no_other_outage(told: LogCapture):
    patience, ended = Patience(), asyncio.Event()

    async def late() -> str:
        await ended.wait()
        return await gone()

    asked = asyncio.create_task(patience.attempt(late))
    await asyncio.sleep(0)
    assert await patience.attempt(gone) is None
    assert await patience.attempt(there) == "there"
    ended.set()
    assert await asked is None
    assert await patience.attempt(there) == "there"
    assert [entry["event"] for entry in told.entries] == ["database_away", "database_answers_again"]


async def test_another_outage_is_told_again(told: LogCapture):
    patience = Patience()
    for ask in (gone, gone, there, there, gone, there):
        await patience.attempt(ask)
    assert [entry["event"] for entry in told.entries] == ["database_away", "database_answers_again"] * 2
