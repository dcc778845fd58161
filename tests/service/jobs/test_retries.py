"""A job that fails is tried again, ever later, and in the end kept as a dead letter that says why, without secrets."""

import asyncio
from typing import Any

import pytest
from bilten.db.database import Database
from bilten.jobs import execution, queries
from bilten.jobs.kinds import Job, Kind
from bilten.settings import Settings
from pydantic import BaseModel, SecretStr
from support.jobs import KIND, Notes, all_done, change, put, row, until, whole_turn, working


class _Failing(Notes):
    def __init__(self, error: Exception, **options: Any) -> None:
        super().__init__(**options)
        self.error = error

    async def work(self, _job: Job) -> None:
        raise self.error


def _with(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)


async def _run_once(db: Database, notes: Notes, settings: Settings) -> None:
    """Work until every job was tried and none is leased."""
    async with working(db, [notes.kind], settings):
        await until(lambda: bool(notes.runs))
        await until(lambda: _none_leased(db))


async def _none_leased(db: Database) -> bool:
    return not await db.fetchval("select count(*) from jobs where locked_by is not null")


@pytest.mark.parametrize(
    ("attempt", "pause"), [(1, 5), (2, 15), (3, 45), (6, 1215), (7, 3600), (8, 3600), (5000, 3600)]
)
def test_pauses_grow_threefold_from_five_seconds_to_an_hour(attempt: int, pause: float):
    assert execution.pause_s(attempt, jitter=0) == pause
    assert execution.pause_s(attempt, jitter=-1) == pytest.approx(pause * 0.75)
    assert execution.pause_s(attempt, jitter=1) == pytest.approx(pause * 1.25)


async def test_a_failed_job_is_due_again_after_its_pause(db: Database, settings: Settings):
    job = await put(db, settings)
    await _run_once(db, _Failing(RuntimeError("the mail server is away")), settings)
    stored = await row(db, job)
    assert stored["last_error"] == "RuntimeError: the mail server is away"
    assert (stored["attempts"], stored["dead_at"], stored["finished_at"]) == (1, None, None)
    assert 5 * 0.7 < stored["due_in_s"] <= 5 * 1.25
    await change(db, "update jobs set attempts = 3, run_at = now()")
    await _run_once(db, _Failing(RuntimeError("still")), settings)
    assert 135 * 0.7 < (await row(db, job))["due_in_s"] <= 135 * 1.25


async def test_a_job_that_failed_once_can_still_be_done(db: Database, settings: Settings):
    job = await put(db, settings, "the words are still there")
    await _run_once(db, _Failing(RuntimeError("once")), settings)
    await change(db, "update jobs set run_at = now()")
    notes = Notes()
    async with working(db, [notes.kind], settings):
        await until(lambda: all_done(db))
    assert notes.words == ["the words are still there"]
    assert (await row(db, job))["attempts"] == 2


async def test_the_last_failure_makes_a_dead_letter_that_is_not_tried_again(db: Database, settings: Settings):
    twice = _with(settings, worker_max_attempts=2)
    job = await put(db, twice)
    await _run_once(db, _Failing(RuntimeError("first")), twice)
    await change(db, "update jobs set run_at = now()")
    await _run_once(db, _Failing(RuntimeError("last")), twice)
    stored = await row(db, job)
    assert stored["dead_at"] is not None
    assert (stored["attempts"], stored["last_error"]) == (2, "RuntimeError: last")
    notes = Notes()
    async with working(db, [notes.kind], twice) as worker:
        await whole_turn(worker)
    assert not notes.runs


async def test_a_revived_dead_letter_is_done_with_a_fresh_count(db: Database, settings: Settings):
    job = await put(db, settings, "again")
    await change(db, "update jobs set dead_at = now(), attempts = max_attempts, run_at = now() + interval '1 hour'")
    async with db.transaction() as tx:
        assert await queries.revive(tx, [job]) == 1
    notes = Notes()
    async with working(db, [notes.kind], settings):
        await until(lambda: all_done(db))
    assert notes.words == ["again"]
    assert (await row(db, job))["attempts"] == 1


async def test_a_job_that_takes_too_long_is_broken_off_and_tried_again(db: Database, settings: Settings):
    notes = Notes(timeout_s=0.2)

    async def hang(_job: Job) -> None:
        await asyncio.sleep(60)

    notes.work = hang  # type: ignore[method-assign]
    job = await put(db, settings)
    await _run_once(db, notes, settings)
    stored = await row(db, job)
    assert stored["last_error"] == "TimeoutError: It took longer than 0.2 s and was broken off"
    assert stored["dead_at"] is None


async def test_a_time_out_of_the_handlers_own_is_told_as_its_own(db: Database, settings: Settings):
    job = await put(db, settings)
    await _run_once(db, _Failing(TimeoutError("no answer from the mail server")), settings)
    assert (await row(db, job))["last_error"] == "TimeoutError: no answer from the mail server"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("refused for ada@example.com", "refused for ***@***"),
        (
            "GET http://localhost:3000/reset?a=1&token=9f2c-secret gone",
            "GET http://localhost:3000/reset?a=1&token=*** gone",
        ),
        ("login with Bearer abc.def", "login with Bearer ***"),
        ("first\nparameters: ('9f2c-secret',)", "first"),
        ("a\0b \udcff", "ab ?"),
        ("x" * 5000, None),
        ("", ""),
    ],
)
async def test_what_went_wrong_is_kept_without_what_is_secret(
    db: Database, settings: Settings, message: str, told: str | None
):
    job = await put(db, settings)
    await _run_once(db, _Failing(RuntimeError(message)), settings)
    kept = (await row(db, job))["last_error"]
    assert kept.startswith("RuntimeError: ")
    assert "secret" not in kept
    assert len(kept) <= queries.MAX_ERROR_LENGTH
    if told is not None:
        assert kept == f"RuntimeError: {told}"


async def test_a_payload_sealed_with_another_secret_is_a_dead_letter_at_once(db: Database, settings: Settings):
    other = _with(settings, secret_key=SecretStr("another secret that is long enough, too"))
    job = await put(db, other)
    notes = Notes()
    async with working(db, [notes.kind], settings):
        await until(lambda: all_done(db))
    stored = await row(db, job)
    assert not notes.runs
    assert stored["dead_at"] is not None
    assert "BILTEN_SECRET_KEY" in stored["last_error"]


@pytest.mark.parametrize("payload", ["{}", '{"sealed": "not base64!"}', '{"sealed": "AAAA"}'])
async def test_a_payload_that_was_damaged_is_a_dead_letter_at_once(db: Database, settings: Settings, payload: str):
    job = await put(db, settings)
    await change(db, "update jobs set payload = cast(:payload as jsonb)", payload=payload)
    async with working(db, [Notes().kind], settings):
        await until(lambda: all_done(db))
    assert (await row(db, job))["dead_at"] is not None


async def test_a_payload_of_another_shape_names_its_fields_and_not_their_values(db: Database, settings: Settings):
    class Demanding(BaseModel):
        words: int

    async def never(_job: Job, _payload: Demanding) -> None:
        raise AssertionError

    job = await put(db, settings, "9f2c-secret")
    async with working(db, [Kind(name=KIND, payload=Demanding, handle=never, timeout_s=1)], settings):
        await until(lambda: all_done(db))
    error = (await row(db, job))["last_error"]
    assert error == "The payload is not one of a test.note job; wrong: words"


async def test_a_job_that_took_every_worker_along_is_not_given_to_another_one(db: Database, settings: Settings):
    job = await put(db, settings)
    await change(
        db,
        "update jobs set attempts = max_attempts, locked_by = 'vanished', locked_until = now() - interval '1 second'",
    )
    notes = Notes()
    async with working(db, [notes.kind], settings):
        await until(lambda: all_done(db))
    assert not notes.runs
    assert "vanished" in (await row(db, job))["last_error"]
