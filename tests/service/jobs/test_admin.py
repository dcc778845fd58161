"""`bilten jobs`: dead letters can be seen, and get another chance."""

import asyncio

import pytest
from bilten.db.database import Database
from bilten.jobs import admin
from bilten.settings import Settings
from support.jobs import change, put, row
from support.secrets import SECRET_KEY, TOKEN_KEYS


@pytest.fixture
def command_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILTEN_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("BILTEN_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("BILTEN_TOKEN_KEYS", TOKEN_KEYS)


@pytest.mark.usefixtures("command_line")
async def test_bilten_jobs_shows_dead_letters_and_retries_them(
    db: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
):
    waiting = await put(db, settings, "9f2c-secret")
    one, two = await put(db, settings), await put(db, settings)
    await change(db, "update jobs set dead_at = now(), attempts = 8, last_error = 'E: why' where id <> :id", id=waiting)

    assert await _command("list") == 0
    listed = capsys.readouterr().out
    assert f"{waiting}  test.note  waiting  0/8" in listed
    assert f"{one}  test.note  dead     8/8" in listed
    assert "secret" not in listed

    assert await _command("dead") == 0
    dead = capsys.readouterr().out
    assert str(waiting) not in dead
    assert dead.count("E: why") == 2

    assert await _command("retry", str(one)) == 0
    assert capsys.readouterr().out == "1 job is due again.\n"
    assert (await row(db, one))["dead_at"] is None
    assert (await row(db, two))["dead_at"] is not None

    assert await _command("retry", "--all-dead") == 0
    assert (await row(db, two))["dead_at"] is None

    assert await _command("retry", str(one)) == 1
    assert capsys.readouterr().err == f"{one} is not a dead letter.\n"
    assert await _command("retry", "--all-dead") == 1


@pytest.mark.usefixtures("command_line")
async def test_bilten_jobs_says_that_the_outbox_is_empty(capsys: pytest.CaptureFixture[str]):
    assert await _command() == 0
    assert await _command("dead") == 0
    assert capsys.readouterr().out == "The outbox is empty.\nThere are no dead letters.\n"


@pytest.mark.usefixtures("command_line")
async def test_a_dead_letter_is_not_revived_beside_an_open_job_for_the_same_thing(
    db: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
):
    dead = await put(db, settings, dedupe_key="purge:1")
    await change(db, "update jobs set dead_at = now()")
    await put(db, settings, dedupe_key="purge:1")
    assert await _command("retry", str(dead)) == 2
    assert "Nothing was changed" in capsys.readouterr().err
    assert (await row(db, dead))["dead_at"] is not None


@pytest.mark.usefixtures("command_line")
async def test_bilten_jobs_without_a_database_says_what_to_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("BILTEN_DATABASE_URL", "postgresql://nobody:pass@127.0.0.1:1/none")
    assert await _command("dead") == 2
    told = capsys.readouterr().err
    assert "BILTEN_DATABASE_URL" in told
    assert "pass" not in told


@pytest.mark.usefixtures("command_line")
async def test_bilten_jobs_names_the_setting_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("BILTEN_SECRET_KEY", "short")
    assert await _command("dead") == 2
    assert capsys.readouterr().err.startswith("bilten jobs: BILTEN_SECRET_KEY: ")


async def _command(*arguments: str) -> int:
    # In a thread, because it runs an event loop of its own, as it does from a terminal.
    return await asyncio.to_thread(admin.main, arguments)
