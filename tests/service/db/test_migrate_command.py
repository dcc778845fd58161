"""`bilten migrate` and `bilten seed` as they are typed."""

from pathlib import Path

import pytest
from bilten.db import migrations, revisions, seeds
from support.secrets import SECRET_KEY, TOKEN_KEYS

HEAD = revisions.known_revisions()[-1]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # where no Bilten runs
    monkeypatch.setenv("BILTEN_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("BILTEN_TOKEN_KEYS", TOKEN_KEYS)


def test_migrate_then_seed_makes_a_database_with_the_samples(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("BILTEN_DATABASE_URL", empty_database_url)
    assert migrations.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"Applied {name}" for name in revisions.known_revisions()]

    assert migrations.main([]) == 0
    assert capsys.readouterr().out == f"Nothing to do: the database is at {HEAD}.\n"

    assert seeds.main([]) == 0
    assert capsys.readouterr().out.startswith("Inserted 3 accounts, 33 events with ")

    assert migrations.main(["--to", "base"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith(f"Undid {HEAD}: ")


def test_migrating_needs_the_database_and_no_other_setting(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("BILTEN_DATABASE_URL", empty_database_url)
    monkeypatch.delenv("BILTEN_SECRET_KEY")
    monkeypatch.setenv("BILTEN_TOKEN_KEYS", "none")
    assert migrations.main(["--to", "0001"]) == 0
    assert capsys.readouterr().out.startswith("Applied 0001: ")


def test_seeding_before_migrating_is_answered_with_the_command_to_run(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("BILTEN_DATABASE_URL", empty_database_url)
    assert seeds.main([]) == 1
    assert capsys.readouterr().err == "bilten seed: the database has no schema yet. Run `bilten migrate` first.\n"


def test_sql_is_printed_for_what_this_database_lacks(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("BILTEN_DATABASE_URL", database_url)
    migrations.downgrade(database_url, "0006")
    assert migrations.main(["--sql"]) == 0
    printed = capsys.readouterr().out
    assert "CREATE TABLE audit_log" in printed
    assert "CREATE TABLE users" not in printed
    assert migrations.current_heads(database_url) == ("0006",)


def test_sql_between_two_revisions_needs_no_database(capsys: pytest.CaptureFixture[str]):
    assert migrations.main(["--sql", "--to", "base:0001"]) == 0
    assert "create extension if not exists pg_trgm" in capsys.readouterr().out


def test_what_is_wrong_goes_to_stderr_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("BILTEN_DATABASE_URL", "postgresql://me:se-cret@127.0.0.1:1/x")
    for command, name in ((migrations.main, "migrate"), (seeds.main, "seed")):
        assert command([]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"bilten {name}: ")
        assert err.count("\n") == 1
        assert "se-cret" not in err


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.delenv("BILTEN_DATABASE_URL", raising=False)
    assert migrations.main([]) == 1
    assert "BILTEN_DATABASE_URL" in capsys.readouterr().err


def test_the_samples_are_refused_in_production(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("BILTEN_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("BILTEN_ENVIRONMENT", "production")
    assert seeds.main([]) == 1
    assert "refused in production" in capsys.readouterr().err
