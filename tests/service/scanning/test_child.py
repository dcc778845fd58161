"""Children that work on hostile bytes: each limit holds, a refusal is told apart from a death, and nothing stays."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from bilten.scanning.child import ChildLimits, Children
from bilten.scanning.errors import InspectionFailed, Refused
from support import hostile


@pytest.fixture
async def children() -> AsyncIterator[Children]:
    made = children_within(wall_s=30)
    yield made
    made.close()


@pytest.fixture
async def hasty() -> AsyncIterator[Children]:
    made = children_within(wall_s=2)
    yield made
    made.close()


def children_within(*, wall_s: float) -> Children:
    limits = ChildLimits(memory_bytes=512 * 1024 * 1024, cpu_s=1, wall_s=wall_s, file_bytes=8 * 1024 * 1024)
    return Children(at_once=2, limits=limits, preload=["support.hostile"])


def pid_in(folder: Path) -> int:
    """The number that `hostile.sleep` wrote; waits for it."""
    for _ in range(3000):
        with suppress(FileNotFoundError, ValueError):
            return int((folder / "pid").read_text())
        time.sleep(0.01)
    raise TimeoutError


def wait_for(folder: Path, files: int) -> None:
    for _ in range(3000):
        if count(folder) >= files:
            return
        time.sleep(0.01)
    raise TimeoutError


def count(folder: Path) -> int:
    return len(list(folder.iterdir()))


async def test_work_is_done_in_another_process(children: Children):
    assert await children.run(hostile.say, {"width": [1, "ü"]}) == {"width": [1, "ü"]}


async def test_a_refusal_comes_back_as_it_was(children: Children):
    with pytest.raises(Refused, match="It is torn") as refused:
        await children.run(hostile.refuse)
    assert refused.value.code == "FILE_DAMAGED"


async def test_work_that_breaks_is_a_failure_and_no_refusal(children: Children):
    with pytest.raises(InspectionFailed) as failed:
        await children.run(hostile.break_down)
    assert failed.value.reason == "crash"


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM])
async def test_a_child_that_crashes_is_a_failure(children: Children, number: int):
    with pytest.raises(InspectionFailed) as failed:
        await children.run(hostile.end, number)
    assert failed.value.reason == "crash"


async def test_a_child_that_the_kernel_killed_is_told_as_out_of_memory(children: Children):
    with pytest.raises(InspectionFailed) as failed:
        await children.run(hostile.end, signal.SIGKILL)
    assert failed.value.reason == "memory"


async def test_a_child_that_leaves_without_an_answer_is_a_failure(children: Children):
    with pytest.raises(InspectionFailed) as failed:
        await children.run(hostile.leave)
    assert failed.value.reason == "crash"


async def test_more_memory_than_allowed_is_not_had(children: Children):
    with pytest.raises(InspectionFailed) as failed:
        await children.run(hostile.hoard)
    assert failed.value.reason == "memory"


async def test_more_cpu_than_allowed_is_not_had():
    children = children_within(wall_s=600)
    with pytest.raises(InspectionFailed) as failed:
        await children.run(hostile.spin)
    assert failed.value.reason == "time"
    children.close()


async def test_a_child_that_takes_too_long_is_killed(hasty: Children, tmp_path: Path):
    with pytest.raises(InspectionFailed) as failed:
        await hasty.run(hostile.sleep, str(tmp_path / "pid"))
    assert failed.value.reason == "time"
    assert not psutil.pid_exists(pid_in(tmp_path))


async def test_a_child_that_ignores_signals_is_killed_all_the_same(hasty: Children):
    with pytest.raises(InspectionFailed) as failed:
        await hasty.run(hostile.stubborn)
    assert failed.value.reason == "time"


async def test_a_child_whose_caller_is_gone_is_killed(children: Children, tmp_path: Path):
    task = asyncio.create_task(children.run(hostile.sleep, str(tmp_path / "pid")))
    pid = await asyncio.to_thread(pid_in, tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(pid)
    assert await children.run(hostile.say, 1) == 1


async def test_an_answer_without_end_is_a_failure(children: Children):
    with pytest.raises(InspectionFailed) as failed:
        await children.run(hostile.babble)
    assert failed.value.reason == "time"


async def test_a_child_that_closes_its_pipe_and_goes_on_is_killed(children: Children, tmp_path: Path):
    with pytest.raises(InspectionFailed):
        await children.run(hostile.hang_up, str(tmp_path / "pid"))
    assert not psutil.pid_exists(pid_in(tmp_path))


async def test_a_child_can_neither_fill_the_disk_nor_open_many_files(children: Children, tmp_path: Path):
    with pytest.raises(InspectionFailed):
        await children.run(hostile.fill, str(tmp_path / "full"))
    assert (tmp_path / "full").stat().st_size <= 8 * 1024 * 1024
    with pytest.raises(InspectionFailed):
        await children.run(hostile.open_many, str(tmp_path))
    assert count(tmp_path) < 64


async def test_no_more_children_run_at_once_than_allowed(children: Children, tmp_path: Path):
    tasks = [asyncio.create_task(children.run(hostile.sleep, str(tmp_path / str(number)))) for number in range(5)]
    await asyncio.to_thread(wait_for, tmp_path, 2)
    await asyncio.sleep(0.5)
    running = count(tmp_path)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert running == 2


async def test_a_fork_server_that_was_killed_is_started_again(children: Children):
    server = await children.run(hostile.parent)
    assert server != os.getpid()
    os.kill(server, signal.SIGKILL)
    assert await children.run(hostile.say, "healed") == "healed"
    assert await children.run(hostile.parent) != server


async def test_work_under_way_survives_the_end_of_the_fork_server(children: Children, hasty: Children, tmp_path: Path):
    server = await children.run(hostile.parent)
    task = asyncio.create_task(hasty.run(hostile.sleep, str(tmp_path / "pid")))
    await asyncio.to_thread(pid_in, tmp_path)
    os.kill(server, signal.SIGKILL)
    with pytest.raises(InspectionFailed) as failed:
        await task
    assert failed.value.reason == "time"
    assert await children.run(hostile.say, 2) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows a process the environment of another")
async def test_a_child_finds_no_setting_in_any_environment_and_its_parent_keeps_them(
    children: Children, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BILTEN_SECRET_KEY", "hunter2")
    # As other tests may have started the fork server before there was a secret.
    os.kill(await children.run(hostile.parent), signal.SIGKILL)
    found = await children.run(hostile.environments)
    assert "PATH" in found
    assert not [name for name in found if name.startswith("BILTEN_")]
    assert os.environ["BILTEN_SECRET_KEY"] == "hunter2"


async def test_no_file_stays_open(children: Children):
    await children.run(hostile.say, 0)
    before = psutil.Process().num_fds()
    for _ in range(5):
        await children.run(hostile.say, 0)
        with pytest.raises(Refused):
            await children.run(hostile.refuse)
    assert psutil.Process().num_fds() <= before
