"""No process may survive its supervisor, however the supervisor ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from bilten.local import family as families
from bilten.local.family import Family
from bilten.local.guardian import Member
from support.dev import is_alive, wait_until

#: Starts members and a temporary folder, says who they are, then waits to be killed.
SUPERVISOR = """
import json, subprocess, sys, time
from pathlib import Path
from bilten.local.family import Family
records, folder = map(Path, sys.argv[1:3])
with Family(records) as family:
    folder.mkdir()
    Path(f"{folder}.sock").touch()
    family.remove_at_end(folder)
    family.remove_at_end(Path(f"{folder}.sock"))
    pids = [family._guardian.pid]
    for number, program in enumerate(sys.argv[3:]):
        child = family.spawn(str(number), ["/bin/sh", "-c", program], env={}, cwd=folder, output=subprocess.DEVNULL)
        pids.append(child.pid)
    print(json.dumps(pids), flush=True)
    time.sleep(600)
"""


class Started:
    """A supervisor with members, in a process of its own."""

    def __init__(self, tmp_path: Path, *programs: str) -> None:
        self.records = tmp_path / "run"
        self.folder = tmp_path / "scratch"
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, self.records, self.folder, *programs], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.guardian, *self.members = json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


Start = Callable[..., Started]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a supervisor of these shell programs; whatever becomes of the test, nothing of it is left."""
    made: list[Started] = []

    def make(*programs: str) -> Started:
        made.append(Started(tmp_path, *programs))
        return made[-1]

    yield make
    for started in made:
        started.kill()
        for pid in filter(is_alive, [started.guardian, *started.members]):
            os.kill(pid, signal.SIGKILL)


def test_a_killed_supervisor_leaves_neither_process_nor_folder(start: Start):
    started = start("sleep 600", "sleep 600")
    assert all(map(is_alive, started.members))
    started.kill()
    wait_until(lambda: not any(map(is_alive, [started.guardian, *started.members])))
    assert not started.folder.exists()
    assert not Path(f"{started.folder}.sock").exists()


@pytest.mark.parametrize("obedience", ["", "trap '' TERM;"], ids=["ends gently", "ignores gentle signals"])
def test_a_member_ends_with_its_children(start: Start, obedience: str):
    started = start(f"{obedience} sleep 600 & echo $! > child; wait; wait")
    written = started.folder / "child"
    child = int(wait_until(lambda: written.exists() and written.read_text()))
    started.kill()
    wait_until(lambda: not is_alive(started.members[0]) and not is_alive(child))


def test_the_newest_member_ends_first(start: Start, tmp_path: Path):
    order = tmp_path / "order"
    tell = "trap 'echo {} >> %s; exit' TERM; echo up >> %s; while :; do sleep 0.05; done" % (order, order)  # noqa: UP031
    started = start(tell.format("older"), tell.format("newer"))
    wait_until(lambda: order.exists() and order.read_text().count("up") == 2)
    started.kill()
    wait_until(lambda: "older" in order.read_text())
    assert order.read_text().split()[2:] == ["newer", "older"]


def test_the_next_start_ends_what_a_killed_guardian_left(start: Start):
    started = start("sleep 600")
    os.kill(started.guardian, signal.SIGKILL)
    started.kill()
    assert is_alive(started.members[0])
    with Family(started.records):
        assert not is_alive(started.members[0])
        assert not started.folder.exists()


@pytest.mark.parametrize("other", [{"started": 1.0}, {"boot": "the one before"}], ids=["start", "boot"])
def test_a_stranger_with_a_recycled_pid_is_left_alone(tmp_path: Path, other: dict[str, Any]):
    with subprocess.Popen(["sleep", "600"]) as stranger:
        try:
            record = replace(Member.of("gone", stranger.pid, []), **other)
            (tmp_path / "gone.json").write_text(record.dump())
            with Family(tmp_path):
                pass
            assert stranger.poll() is None
        finally:
            stranger.kill()
    assert not list(tmp_path.glob("*.json"))


def test_half_a_record_is_no_obstacle(tmp_path: Path):
    (tmp_path / "half.json").write_text('{"name": "ha')
    with Family(tmp_path):
        assert not list(tmp_path.glob("*.json"))


def test_a_child_whose_supervisor_dies_before_it_is_registered_never_begins(tmp_path: Path):
    proof = tmp_path / "began"
    subprocess.run([*families._GATE, "touch", proof], stdin=subprocess.DEVNULL, check=False)  # noqa: SLF001
    assert not proof.exists()
    subprocess.run([*families._GATE, "touch", proof], input=b"\n", check=True)  # noqa: SLF001
    assert proof.exists()


def test_a_supervisor_that_ends_in_order_stops_its_members_itself(tmp_path: Path):
    with Family(tmp_path) as family:
        child = family.spawn("sleeper", ["sleep", "600"], env=dict(os.environ), cwd=tmp_path, output=subprocess.DEVNULL)
        assert family.stop("nobody") is None
    assert child.returncode == -signal.SIGTERM
    assert not list(tmp_path.glob("*.json"))


def test_a_clock_that_is_set_meanwhile_hides_no_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with Family(tmp_path) as family:
        child = family.spawn("sleeper", ["sleep", "600"], env=dict(os.environ), cwd=tmp_path, output=subprocess.DEVNULL)
        before = psutil.boot_time()  # Linux tells it as the clock's time less the time that it has been up
        monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: before + 3600)  # noqa: SLF001 what create_time reads
        assert Member(**json.loads((tmp_path / "sleeper.json").read_text())).process()
        family.kill()
        assert child.wait(timeout=5) == -signal.SIGKILL


def test_two_members_cannot_have_one_name(tmp_path: Path):
    with Family(tmp_path) as family:
        first = family.spawn("sleeper", ["sleep", "600"], env=dict(os.environ), cwd=tmp_path, output=subprocess.DEVNULL)
        with pytest.raises(ValueError, match="sleeper runs already"):
            family.spawn("sleeper", ["sleep", "600"], env=dict(os.environ), cwd=tmp_path, output=subprocess.DEVNULL)
        first.kill()
        first.wait()
        family.spawn("sleeper", ["sleep", "600"], env=dict(os.environ), cwd=tmp_path, output=subprocess.DEVNULL)


def test_kill_ends_members_at_once(tmp_path: Path):
    with Family(tmp_path) as family:
        program = ["sh", "-c", "trap '' TERM; echo > up; while :; do sleep 1; done"]
        child = family.spawn("stubborn", program, env=dict(os.environ), cwd=tmp_path, output=subprocess.DEVNULL)
        wait_until((tmp_path / "up").exists)
        family.kill()
        assert child.wait(timeout=2) == -signal.SIGKILL


@pytest.mark.parametrize("verb", ["add", "drop"])
def test_a_message_cut_off_by_death_does_not_stop_the_guardian(tmp_path: Path, verb: str):
    folder = tmp_path / "scratch"
    folder.mkdir()
    whole = json.dumps(["add", json.loads(Member("folder", path=str(folder)).dump())])
    subprocess.run(
        [sys.executable, "-m", "bilten.local.guardian"], input=f'{whole}\n["{verb}", {{"na', text=True, check=True
    )
    assert not folder.exists()
