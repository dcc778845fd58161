"""Which Bilten runs in a folder, and how its database is used by what is typed beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bilten import beside
from bilten.local import running
from bilten.settings import SettingsError

URL = "postgresql://bilten:se-cret@127.0.0.1:1/bilten"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's data folder; the project is the current folder, and its environment names no database."""
    folder = tmp_path / ".bilten"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("BILTEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", dict(os.environ))  # what is borrowed stays in this test
    return folder


def test_settings_are_left_for_their_owner_only_and_taken_away(folder: Path):
    assert running.settings_in(folder) is None
    running.announce(folder, {"BILTEN_DATABASE_URL": URL, "HOME": "/home/ada"})
    assert running.settings_in(folder) == {"BILTEN_DATABASE_URL": URL}
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]
    running.withdraw(folder)
    running.withdraw(folder)
    assert list(folder.iterdir()) == []


def test_what_a_killed_supervisor_left_does_not_count(folder: Path):
    program = (
        f"from pathlib import Path; from bilten.local import running; running.announce(Path({str(folder)!r}), {{}})"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert json.loads((folder / "running.json").read_text())["settings"] == {}
    assert running.settings_in(folder) is None


def test_what_runs_here_completes_the_environment_and_changes_none_of_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    running.announce(folder, {"BILTEN_DATABASE_URL": URL, "BILTEN_SECRET_KEY": "theirs", "BILTEN_LOG_LEVEL": "info"})
    os.environ["BILTEN_LOG_LEVEL"] = "debug"
    beside.borrow_settings()
    borrowed = {name: value for name, value in os.environ.items() if name.startswith("BILTEN_")}
    assert borrowed == {"BILTEN_DATABASE_URL": URL, "BILTEN_SECRET_KEY": "theirs", "BILTEN_LOG_LEVEL": "debug"}
    assert capsys.readouterr() == ("", f"Using the database of the Bilten that runs in {folder}.\n")


def test_a_database_that_is_named_stands(folder: Path, capsys: pytest.CaptureFixture[str]):
    running.announce(folder, {"BILTEN_DATABASE_URL": URL, "BILTEN_SECRET_KEY": "theirs"})
    os.environ["BILTEN_DATABASE_URL"] = "postgresql://mine/x"
    beside.borrow_settings()
    assert "BILTEN_SECRET_KEY" not in os.environ
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("folder")
def test_where_nothing_runs_one_sentence_says_what_to_do():
    with pytest.raises(SettingsError) as caught:
        beside.borrow_settings()
    assert str(caught.value) == (
        "BILTEN_DATABASE_URL is not set, and no Bilten runs in this folder: "
        "start one with `make up` in another terminal, or set it."
    )


def test_a_folder_of_another_user_is_named(folder: Path):
    running.announce(folder, {"BILTEN_DATABASE_URL": URL})
    with _without_rights_to(folder), pytest.raises(SettingsError, match=r"\.bilten is another user's: run this as"):
        beside.borrow_settings()


@contextmanager
def _without_rights_to(folder: Path) -> Iterator[None]:
    folder.chmod(0)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)


def test_what_another_user_may_have_written_is_not_followed(folder: Path):
    running.announce(folder, {"BILTEN_DATABASE_URL": URL})
    (folder / "running.json").chmod(0o666)
    with pytest.raises(PermissionError):
        running.settings_in(folder)
    with pytest.raises(SettingsError, match="another user's"):
        beside.borrow_settings()
