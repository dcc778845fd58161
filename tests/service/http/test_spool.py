"""Where uploads wait: nobody else's, within its budget and the disk's, and empty again whatever happens."""

import asyncio
import contextlib
import hashlib
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from bilten.web.spool import PREFIX, STEP, Room, Spool, SpoolFull, TooManyUploads
from support.jobs import until

MIB = 1024 * 1024
#: A process that holds a file in its spool until it is killed.
HOLDER = """
import asyncio, sys
from pathlib import Path
from bilten.web.spool import Spool

async def main():
    spool = Spool(Path(sys.argv[1]), 2**30)
    await spool.open()
    async with spool.room() as room:
        file = room.file()
        await file.write(b"x" * 2_000_000)
        await file.finish()
        print(file.path, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def spool_in(folder: Path, budget: int = 64 * MIB) -> AsyncIterator[Spool]:
    spool = Spool(folder, budget, rooms_each=2)
    await spool.open()
    try:
        yield spool
    finally:
        await spool.close()


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    async with spool_in(tmp_path / "spool") as opened:
        yield opened


async def filled(room: Room, data: bytes, piece: int = 100_000) -> Path:
    file = room.file()
    for start in range(0, len(data), piece):
        await file.write(data[start : start + piece])
    await file.finish()
    assert (file.size, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    return file.path


def files_in(spool: Spool) -> list[str]:
    return sorted(path.name for path in spool.new_path().parent.iterdir())


def spools_in(folder: Path) -> int:
    return len(list(folder.glob(f"{PREFIX}*")))


@pytest.mark.parametrize("size", [0, 1, STEP - 1, STEP, STEP + 1, 3 * STEP + 12345])
async def test_a_file_is_what_was_written_and_its_hash_is_known(spool: Spool, size: int):
    data = os.urandom(size)
    async with spool.room(size) as room:
        path = await filled(room, data)
        assert path.read_bytes() == data
    assert not path.exists()


async def test_nobody_else_can_read_what_is_uploaded(spool: Spool):
    async with spool.room() as room:
        path = await filled(room, b"secret")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_the_budget_is_held_from_the_first_word_on_and_given_back(spool: Spool):
    async with spool.room(60 * MIB):
        assert spool.reserved == 60 * MIB
        with pytest.raises(SpoolFull):
            async with spool.room(5 * MIB):
                pass
        async with spool.room(4 * MIB):
            assert spool.reserved == 64 * MIB
    assert spool.reserved == 0


async def test_a_room_of_unknown_size_grows_as_it_fills_until_the_budget_ends(spool: Spool):
    async with spool.room() as room:
        await filled(room, bytes(10 * MIB))
        assert 10 * MIB <= spool.reserved <= 12 * MIB
        with pytest.raises(SpoolFull):
            await filled(room, bytes(60 * MIB))
    assert spool.reserved == 0


async def test_nobody_has_more_rooms_than_one_user_may_have_and_others_have_theirs(spool: Spool):
    greedy, other = uuid4(), uuid4()
    async with spool.room(user_id=greedy) as first, spool.room(user_id=other):
        async with spool.room(user_id=greedy):
            await first.release()
            with pytest.raises(TooManyUploads) as refusal:
                async with spool.room(user_id=greedy):
                    pass
            assert refusal.value.headers["Retry-After"]
        async with spool.room(user_id=greedy):
            pass


async def test_a_room_may_be_emptied_early_and_only_once(spool: Spool):
    async with spool.room(MIB) as room:
        path = await filled(room, b"done")
        await room.release()
        assert not path.exists()
        assert spool.reserved == 0
        await room.release()
    assert spool.reserved == 0


async def test_a_request_that_is_cancelled_while_it_writes_leaves_nothing(spool: Spool):
    async def upload() -> None:
        async with spool.room() as room:
            file = room.file()
            while True:
                await file.write(bytes(STEP))

    for pause in (0, 0.001, 0.01, 0.05):
        uploading = asyncio.create_task(upload())
        await asyncio.sleep(pause)
        uploading.cancel()
        await asyncio.gather(uploading, return_exceptions=True)
    await until(lambda: files_in(spool) == ["lock"])
    assert spool.reserved == 0


async def test_a_spool_that_is_closed_is_gone(tmp_path: Path):
    async with spool_in(tmp_path) as spool, spool.room() as room:
        await filled(room, b"x")
        assert spools_in(tmp_path) == 1
    assert spools_in(tmp_path) == 0


@contextlib.contextmanager
def holder(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


async def test_what_a_killed_process_left_is_swept_by_the_next_and_a_living_ones_stays(tmp_path: Path):
    with holder(tmp_path) as (dead, left), holder(tmp_path) as (_, kept):
        dead.send_signal(signal.SIGKILL)
        dead.wait()
        assert left.exists()
        async with spool_in(tmp_path) as spool, spool.room() as room:
            assert not left.parent.exists()
            assert kept.exists()
            await filled(room, b"x")


async def test_many_that_start_at_once_do_not_sweep_each_other(tmp_path: Path):
    async def work() -> None:
        async with spool_in(tmp_path) as spool, spool.room() as room:
            path = await filled(room, b"x")
            await asyncio.sleep(0.05)
            assert path.exists()

    await asyncio.gather(*(work() for _ in range(20)))


async def test_one_starts_while_others_end(tmp_path: Path):
    async def live() -> None:
        for _ in range(40):
            spool = Spool(tmp_path, MIB)
            await spool.open()
            await spool.close()

    await asyncio.gather(*(live() for _ in range(8)))
    assert not list(tmp_path.iterdir())  # noqa: ASYNC240 nothing else runs any more


async def test_the_sweep_leaves_what_is_not_a_spool(tmp_path: Path):
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "gold").write_text("mine")
    spools = tmp_path / "spools"
    spools.mkdir()
    (spools / f"{PREFIX}link").symlink_to(treasure)
    (spools / f"{PREFIX}file").write_text("a file")
    (spools / "another").mkdir()
    async with spool_in(spools):
        pass
    assert [path.name for path in treasure.iterdir()] == ["gold"]
    assert sorted(path.name for path in spools.iterdir()) == ["another", f"{PREFIX}file", f"{PREFIX}link"]


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As full a disk as can be had everywhere: the kernel refuses to write on."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


async def test_a_disk_that_is_full_is_said_so_and_nothing_stays(spool: Spool):
    async with spool.room() as room:
        with files_of_at_most(2 * MIB), pytest.raises(SpoolFull) as refusal:
            await filled(room, bytes(5 * MIB))
        assert refusal.value.headers["Retry-After"]
    assert spool.reserved == 0
    assert files_in(spool) == ["lock"]


async def test_a_folder_that_takes_no_file_is_said_so(spool: Spool):
    async with spool.room() as room:
        path = await filled(room, b"x")
        path.parent.rename(path.parent.with_name("moved"))
        with pytest.raises(SpoolFull):
            room.file()
