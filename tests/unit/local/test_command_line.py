"""`bilten` as it is typed: which words it knows, and what those answer that need no database."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from bilten import cli
from bilten.settings import Settings
from support.secrets import SECRET_KEY, TOKEN_KEYS


def typed(folder: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """The command in an environment with these settings and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BILTEN_")}
    return subprocess.run(
        [sys.executable, "-m", "bilten", *arguments], cwd=folder, env={**kept, **settings},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_every_word_is_explained_and_says_more_of_itself_without_any_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    monkeypatch.setattr(sys, "argv", ["bilten"])
    assert cli.main() == 0
    usage = capsys.readouterr().out
    for word, (_, purpose) in cli.COMMANDS.items():
        assert f"  bilten {word:<9} {purpose}\n" in usage
    for name in [name for name in os.environ if name.startswith("BILTEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for word in ("serve", "worker", "dev", "migrate", "seed", "jobs"):
        monkeypatch.setattr(sys, "argv", ["bilten", word, "--help"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: bilten {word} ")


def test_a_word_it_does_not_know_is_answered_with_those_it_does(tmp_path: Path):
    done = typed(tmp_path, "brew")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("bilten: there is no command 'brew'.\n\nusage: bilten COMMAND")


def test_the_openapi_document_is_printed_without_any_setting(tmp_path: Path):
    done = typed(tmp_path, "openapi")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/events" in document["paths"]


def test_every_setting_is_printed_without_any_of_them_being_set(tmp_path: Path):
    done = typed(tmp_path, "settings")
    assert (done.returncode, done.stderr) == (0, "")
    rows = done.stdout.splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [f"BILTEN_{name.upper()}" for name in Settings.model_fields]


def test_serving_on_a_taken_port_ends_in_one_sentence(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = typed(
            tmp_path, "serve", BILTEN_PORT=port, BILTEN_DATABASE_URL="postgresql://nobody:x@127.0.0.1:1/none",
            BILTEN_SECRET_KEY=SECRET_KEY, BILTEN_TOKEN_KEYS=TOKEN_KEYS, BILTEN_AUTO_MIGRATE="off",
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"bilten: cannot listen on 127.0.0.1:{port} (address already in use). Stop what uses it, or set BILTEN_PORT."
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_process_without_its_settings_names_them(tmp_path: Path, command: str):
    done = typed(tmp_path, command)
    assert done.returncode == 2
    for name in ("BILTEN_DATABASE_URL", "BILTEN_SECRET_KEY", "BILTEN_TOKEN_KEYS"):
        assert f"{name}: is not set" in done.stderr
    assert "Traceback" not in done.stderr
