"""What is typed beside a running `make up` works on its database, without any setting."""

import os
import subprocess
import sys
from pathlib import Path

from support.dev import PROJECT, running


def test_commands_work_on_the_database_of_what_runs_in_their_folder(tmp_path: Path):
    home = tmp_path / "a clone" / ".bilten"
    home.parent.mkdir()
    using = f"Using the database of the Bilten that runs in {home}.\n"
    with running(home) as dev:
        assert dev.url
        assert (home / "running.json").stat().st_mode & 0o777 == 0o600
        jobs = typed(home.parent, "jobs")
        assert (jobs.returncode, jobs.stdout, jobs.stderr) == (0, "The outbox is empty.\n", using)
        migrate = typed(home.parent, "migrate")
        assert migrate.returncode == 0
        assert migrate.stdout.startswith("Nothing to do: the database is at ")
        assert migrate.stderr == using
        seed = typed(home.parent, "seed")
        assert (seed.returncode, seed.stderr) == (0, using)
        assert seed.stdout.startswith("Inserted 0 accounts, 0 events")
        for words in (("verify",), ("sweep", "--dry-run"), ("sweep",)):
            files = typed(home.parent, "files", *words)
            assert (files.returncode, files.stderr) == (0, using), files.stdout
            assert files.stdout.endswith("\nRows and buckets agree.\n")
        rescan = typed(home.parent, "files", "rescan")
        assert (rescan.returncode, rescan.stderr) == (0, using)
        assert rescan.stdout.startswith("0 files are queued, for ")
        dev.stop()
    assert not (home / "running.json").exists()
    for command in ("jobs", "migrate", "seed", "files"):
        after = typed(home.parent, command, *(["verify"] if command == "files" else []))
        assert after.returncode != 0
        assert after.stdout == ""
        assert after.stderr == (
            f"bilten {command}: BILTEN_DATABASE_URL is not set, and no Bilten runs in this folder: "
            "start one with `make up` in another terminal, or set it.\n"
        )


def typed(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command as a developer types it in that folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BILTEN_")}
    return subprocess.run(
        [sys.executable, "-m", "bilten", *arguments], cwd=folder, env={**kept, "PYTHONPATH": str(PROJECT / "service")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
