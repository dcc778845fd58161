"""Which signatures a daemon has loaded, and of when, where its own version does not say so."""

import asyncio
import os
import re
from pathlib import Path

import pytest
from bilten.local.clamd import Clamd
from bilten.scanning import stamp
from bilten.scanning.clamd import Address, ClamdScanner
from bilten.scanning.errors import ScanUnavailable
from bilten.scanning.scanner import EngineVersion
from fixtures.clamd import MIB, StartClamd, reload, scanner_of
from support.scanned import chunks, impostor, version_other_than


async def test_a_set_of_ones_own_tells_its_version_and_when_it_was_made(
    clamd_server: Clamd, clamd_scanner: ClamdScanner
):
    version = await clamd_scanner.version()
    assert re.fullmatch(r"clamav \d+\.\d+\.\d+\S*", version.engine)
    assert re.fullmatch("[0-9a-f]{16}", version.signatures)
    made = [path.stat().st_mtime for path in clamd_server.signatures.iterdir() if path.name != stamp.FILE]
    assert version.made_at is not None
    assert version.made_at.timestamp() == int(max(made))
    verdict = await clamd_scanner.scan(chunks(b"harmless"))
    assert (verdict.engine, verdict.signatures) == (version.engine, version.signatures)


async def test_it_is_told_over_tcp_as_well(clamd_scanner: ClamdScanner, clamd_port: int):
    far = ClamdScanner(Address(host="127.0.0.1", port=clamd_port), max_bytes=MIB, concurrency=1, timeout_s=20)
    assert await far.version() == await clamd_scanner.version()


async def test_it_is_that_of_what_is_loaded_and_not_of_what_lies_there(own_clamd: StartClamd):
    server = own_clamd()
    first = await scanner_of(server).version()
    (server.signatures / "house.ndb").write_text(f"House.New:0:*:{os.urandom(20).hex()}\n")
    stamp.write(server.signatures)
    assert await scanner_of(server).version() == first
    reload(server)
    second = await version_other_than(server, first)
    assert second.signatures != first.signatures
    (server.signatures / "house.ndb").unlink()
    stamp.write(server.signatures)
    reload(server)
    assert (await version_other_than(server, second)).signatures == first.signatures


async def test_a_set_without_a_stamp_is_told_as_that(own_clamd: StartClamd):
    server = own_clamd()
    first = await scanner_of(server).version()
    (server.signatures / stamp.FILE).unlink()
    reload(server)
    bare = await version_other_than(server, first)
    assert (bare.engine, bare.signatures, bare.made_at) == (first.engine, "unnumbered", None)


@pytest.mark.parametrize("said", [b"", b"stream: Can't allocate memory ERROR\0"], ids=["nothing", "an error"])
async def test_a_daemon_that_does_not_look_at_the_probe_does_not_pass_for_one_with_other_signatures(
    tmp_path: Path, said: bytes
):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(bytes(4))
        writer.write(said)
        await writer.drain()

    async with impostor(tmp_path / "s", answer, b"ClamAV 1.4.3") as path:
        scanner = ClamdScanner(Address(path), max_bytes=MIB, concurrency=1, timeout_s=5)
        with pytest.raises(ScanUnavailable):
            await scanner.version()


async def test_whoever_finds_something_else_in_the_probe_has_told_no_version(tmp_path: Path):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(bytes(4))
        writer.write(b"stream: Bilten.Signatures.1700000000.0123456789abcdef FOUND\0")
        await writer.drain()

    async with impostor(tmp_path / "s", answer, b"ClamAV 1.4.3") as path:
        version = await ClamdScanner(Address(path), max_bytes=MIB, concurrency=1, timeout_s=5).version()
    assert version == EngineVersion("clamav 1.4.3", "unnumbered", None)
