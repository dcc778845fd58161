"""A skip is told with its reason, and is a failure where the run must be complete."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
#: One test that needs a thing nobody has, one that needs nothing.
SAMPLE = """
from fixtures import machine
machine.NEEDS["unicorn"] = machine.Need(lambda: False, "apt-get install unicorn")

def test_with_a_unicorn():
    machine.require("unicorn")

def test_with_another_unicorn():
    machine.require("unicorn")

def test_without():
    machine.require()
"""


def run(folder: Path, *options: str, require: str = "") -> tuple[int, str]:
    (folder / "test_sample.py").write_text(SAMPLE)
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder), "-p", "fixtures.machine"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", *options, str(folder)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TESTS), "BILTEN_TEST_REQUIRE": require},
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "in parallel"])
def test_what_the_machine_lacks_is_told_at_the_end_with_the_way_to_get_it(tmp_path: Path, options: list[str]):
    status, output = run(tmp_path, *options)
    assert status == 0
    _, table = output.split("What this machine lacks")
    assert "unicorn    2 tests skipped; to run: apt-get install unicorn" in table


@pytest.mark.parametrize("require", ["all", "clamd, unicorn"])
def test_a_skip_is_a_failure_where_the_run_must_be_complete(tmp_path: Path, require: str):
    status, output = run(tmp_path, require=require)
    assert status == 1
    assert "2 failed, 1 passed" in output
    assert "BILTEN_TEST_REQUIRE asks for it" in output


def test_what_is_not_asked_for_is_still_skipped(tmp_path: Path):
    status, output = run(tmp_path, require="chromium")
    assert status == 0
    assert "1 passed, 2 skipped" in output


def test_nothing_is_told_where_nothing_is_lacking(tmp_path: Path):
    _, output = run(tmp_path, "-k", "test_without")
    assert "1 passed" in output
    assert "What this machine lacks" not in output
