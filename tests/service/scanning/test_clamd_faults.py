"""Whatever clamd does but give a whole verdict, nothing is clean; and when it is back, the next scan is as ever."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import clamd as package
import pytest
from bilten.local.clamd import Clamd, eicar
from bilten.scanning.clamd import Address, ClamdScanner
from bilten.scanning.errors import ScanUnavailable
from fixtures.clamd import MIB, StartClamd, scanner_of
from support.scanned import Answering, chunks, impostor, taken


async def test_a_daemon_that_is_down_gives_no_verdict_and_heals(own_clamd: StartClamd):
    server = own_clamd()
    scanner = scanner_of(server)
    assert (await scanner.scan(chunks(b"x"))).word == "clean"
    await asyncio.to_thread(server.stop)
    with pytest.raises(ScanUnavailable):
        await scanner.scan(chunks(b"x"))
    server.start()
    await asyncio.to_thread(server.wait_ready)
    assert (await scanner.scan(chunks(eicar()))).word == "infected"


@pytest.mark.parametrize(
    "address", [Address(Path("/nowhere/clamd.sock")), Address(host="127.0.0.1", port=1), Address(host="no.invalid")]
)
async def test_an_address_where_nobody_answers_gives_no_verdict(address: Address):
    scanner = ClamdScanner(address, max_bytes=MIB, concurrency=1, timeout_s=5)
    with pytest.raises(ScanUnavailable, match="waits until"):
        await scanner.scan(chunks(eicar()))
    with pytest.raises(ScanUnavailable):
        await scanner.version()


@pytest.mark.parametrize("size", [100, 20 * MIB], ids=["small", "large"])
async def test_a_daemon_that_hangs_gives_no_verdict_in_time(own_clamd: StartClamd, size: int):
    server = own_clamd()
    scanner = scanner_of(server, timeout_s=1)
    await scanner.version()
    os.kill(server.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(ScanUnavailable):
            await scanner.scan(chunks(bytes(size)))
        assert time.monotonic() - began < 4
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert (await scanner.scan(chunks(eicar()))).word == "infected"


async def test_a_daemon_that_dies_while_it_takes_a_file_gives_no_verdict(own_clamd: StartClamd):
    server = own_clamd()

    async def dying() -> AsyncIterator[bytes]:
        yield b"harmless" * 1000
        os.kill(server.pid, signal.SIGKILL)
        for _ in range(50):
            yield b"harmless" * 1000
            await asyncio.sleep(0.01)

    with pytest.raises(ScanUnavailable):
        await scanner_of(server).scan(dying())


async def hang_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    pass


async def hang_up_after_the_file(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await taken(reader)


def says(reply: bytes) -> Answering:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await taken(reader)
        writer.write(reply)
        await writer.drain()

    return answer


async def says_ok_before_it_has_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(100)
    writer.write(b"stream: OK\0")
    await writer.drain()


FAULTS: dict[str, Answering] = {
    "hangs up": hang_up,
    "hangs up after the file": hang_up_after_the_file,
    "says OK before it has all": says_ok_before_it_has_all,
    "says nothing": says(b""),
    "an empty reply": says(b"\0"),
    "a reply that is cut off": says(b"stream: O"),
    "a whole word that is cut off": says(b"stream: OK"),
    "a finding that is cut off": says(b"stream: Eicar FOUN\0"),
    "garbage": says(os.urandom(100).replace(b"\0", b"\1") + b"\0"),
    "a reply without end": says(b"x" * 200_000),
    "another reply": says(b"PONG\0"),
    "OK of another file": says(b"/tmp/a: OK\0"),
    "more than OK": says(b"stream: OK\nstream: Eicar FOUND\0"),
    "size limit": says(b"INSTREAM size limit exceeded. ERROR\0"),
    "no space": says(b"stream: Error writing to temporary file ERROR\0"),
    "timed out": says(b"COMMAND READ TIMED OUT\0"),
    "no command": says(b"UNKNOWN COMMAND\0"),
    "at its limit": says(b"stream: Can't allocate memory ERROR\0"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_anything_but_a_whole_verdict_is_none(tmp_path: Path, fault: str):
    async with impostor(tmp_path / "s", FAULTS[fault]) as path:
        scanner = ClamdScanner(Address(path), max_bytes=100 * MIB, concurrency=1, timeout_s=2)
        with pytest.raises(ScanUnavailable):
            await scanner.scan(chunks(os.urandom(8 * MIB)))


@pytest.mark.parametrize(
    ("reply", "word", "signature"),
    [
        (b"stream: OK\0", "clean", None),
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", "infected", "Win.Test.EICAR_HDB-1"),
        (b"stream: Heuristics.Limits.Exceeded.MaxFiles FOUND\0", "unscannable", "Heuristics.Limits.Exceeded.MaxFiles"),
        (b"stream: Heuristics.Encrypted.PDF FOUND\0", "unscannable", "Heuristics.Encrypted.PDF"),
        (b"stream: Heuristics.Phishing.Email FOUND\0", "infected", "Heuristics.Phishing.Email"),
        (b"stream: \xff\xfe FOUND\0", "infected", "\ufffd\ufffd"),
    ],
)
async def test_a_whole_verdict_is_believed(tmp_path: Path, reply: bytes, word: str, signature: str | None):
    async with impostor(tmp_path / "s", says(reply)) as path:
        scanner = ClamdScanner(Address(path), max_bytes=MIB, concurrency=1, timeout_s=5)
        verdict = await scanner.scan(chunks(b"content"))
    assert (verdict.word, verdict.signature) == (word, signature)
    assert (verdict.engine, verdict.signatures) == ("clamav 1.4.3", "27400")


async def test_scans_during_a_reload_are_right_and_what_is_new_is_found_after_it(own_clamd: StartClamd):
    server = own_clamd(ConcurrentDatabaseReload="yes")
    scanner = scanner_of(server)
    new = b"a virus of tomorrow"
    assert (await scanner.scan(chunks(new))).word == "clean"
    (server.signatures / "new.ndb").write_text(f"Tomorrow:0:*:{new.hex()}\n")
    (server.signatures / "new.ndb").chmod(0o644)
    assert package.ClamdUnixSocket(str(server.socket)).reload() == "RELOADING"
    for _ in range(600):
        assert (await scanner.scan(chunks(eicar()))).word == "infected"
        if (await scanner.scan(chunks(new))).word == "infected":
            return
        await asyncio.sleep(0.02)
    pytest.fail("the new signature was never found")


async def test_scans_wait_for_a_free_place_and_none_is_lost(clamd_server: Clamd):
    scanner = ClamdScanner(Address(clamd_server.socket), max_bytes=MIB, concurrency=1, timeout_s=10)
    first = asyncio.create_task(scanner.scan(chunks(bytes(MIB), 1000)))
    second = asyncio.create_task(scanner.scan(chunks(eicar())))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await second).word == "infected"
