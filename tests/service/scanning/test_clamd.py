"""Verdicts of the real clamd: the test file is found in every wrapping, and what it did not look at is never clean."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bilten.local.clamd import Clamd, eicar
from bilten.scanning.clamd import Address, ClamdScanner
from bilten.scanning.errors import ScanUnavailable
from fixtures.clamd import MIB, StartClamd, scanner_of
from support import documents, scanned
from support.scanned import chunks


@pytest.mark.parametrize("wrapping", scanned.WRAPPINGS)
async def test_the_test_file_is_found_in_every_wrapping(clamd_scanner: ClamdScanner, wrapping: str):
    verdict = await clamd_scanner.scan(chunks(scanned.WRAPPINGS[wrapping]()))
    assert verdict.word == "infected"
    assert verdict.signature is not None
    assert "Eicar" in verdict.signature
    assert verdict.engine.startswith("clamav ")


async def test_the_test_file_is_found_in_base64(clamd_scanner: ClamdScanner):
    assert (await clamd_scanner.scan(chunks(scanned.mail()))).word == "infected"


@pytest.mark.parametrize("content", [b"", b"harmless", documents.office(), documents.pdf(b"x"), os.urandom(5 * MIB)])
async def test_what_holds_nothing_is_clean(clamd_scanner: ClamdScanner, content: bytes):
    verdict = await clamd_scanner.scan(chunks(content))
    assert (verdict.word, verdict.signature) == ("clean", None)


async def test_a_test_file_that_spans_chunks_of_any_size_is_found(clamd_scanner: ClamdScanner):
    content = b"x" * 100 + eicar()
    for size in (1, 7, 64, 10_000):
        assert (await clamd_scanner.scan(chunks(content, size))).word == "infected"

    async def with_empty_ones():
        yield b""
        yield content[:120]
        yield b""
        yield content[120:]

    assert (await clamd_scanner.scan(with_empty_ones())).word == "infected"


@pytest.mark.usefixtures("clamd_server")
async def test_it_is_reached_over_tcp_as_well(clamd_port: int):
    scanner = ClamdScanner(Address(host="127.0.0.1", port=clamd_port), max_bytes=MIB, concurrency=1, timeout_s=20)
    assert (await scanner.version()).engine.startswith("clamav ")
    assert (await scanner.scan(chunks(eicar()))).word == "infected"
    assert (await scanner.scan(chunks(b"harmless"))).word == "clean"


async def test_many_scans_at_once_do_not_mix_up_their_verdicts(clamd_scanner: ClamdScanner):
    files = [eicar() + bytes([each]) if each % 3 else os.urandom(200_000) for each in range(60)]
    verdicts = await asyncio.gather(*(clamd_scanner.scan(chunks(each)) for each in files))
    assert [verdict.word for verdict in verdicts] == ["infected" if each % 3 else "clean" for each in range(60)]


@pytest.mark.parametrize(
    ("bypass", "said"),
    [
        (lambda: documents.nested(20, eicar()), "Heuristics.Limits.Exceeded"),
        (lambda: documents.zipped([*((f"{each}", b"") for each in range(10_050)), ("last", eicar())]),
         "Heuristics.Limits.Exceeded"),
        (lambda: documents.raw_zip([documents.Entry(b"a", flags=1)]), "Heuristics.Encrypted"),
    ],
    ids=["20 levels", "10051 members", "encrypted"],
)  # fmt: skip
async def test_what_the_daemon_did_not_look_at_is_unscannable(
    clamd_scanner: ClamdScanner, bypass: Callable[[], bytes], said: str
):
    verdict = await clamd_scanner.scan(chunks(bypass()))
    assert verdict.word == "unscannable"
    assert verdict.signature is not None
    assert verdict.signature.startswith(said)


async def test_a_file_longer_than_the_daemon_takes_is_not_sent(clamd_server: Clamd):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += MIB
            yield bytes(MIB)

    verdict = await scanner_of(clamd_server, max_bytes=3 * MIB).scan(endless())
    assert (verdict.word, verdict.signature) == ("unscannable", "Bilten.TooLarge")
    assert sent == 4 * MIB


async def test_what_the_source_raises_is_passed_on(clamd_scanner: ClamdScanner):
    async def torn():
        yield b"begin"
        raise ConnectionResetError("the object store")

    with pytest.raises(ConnectionResetError, match="the object store"):
        await clamd_scanner.scan(torn())


async def test_a_daemon_that_takes_less_than_we_send_gives_no_verdict(own_clamd: StartClamd):
    scanner = scanner_of(own_clamd(StreamMaxLength="1M"))
    with pytest.raises(ScanUnavailable):
        await scanner.scan(chunks(eicar() + os.urandom(20 * MIB)))
    assert (await scanner.scan(chunks(b"harmless"))).word == "clean"


async def test_a_file_beyond_what_the_daemon_looks_at_is_unscannable(own_clamd: StartClamd):
    scanner = scanner_of(own_clamd(MaxFileSize="1M", MaxScanSize="1M"))
    verdict = await scanner.scan(chunks(bytes(2 * MIB) + eicar()))
    assert verdict.word == "unscannable"


async def test_number_and_date_of_the_signatures_are_read(tmp_path: Path):
    async def never(*_: object) -> None:
        raise AssertionError

    async with scanned.impostor(tmp_path / "s", never) as path:
        version = await ClamdScanner(Address(path), max_bytes=1, concurrency=1, timeout_s=5).version()
    assert (version.engine, version.signatures) == ("clamav 1.4.3", "27400")
    assert version.made_at == datetime(2026, 11, 22, 9, 13, 56, tzinfo=UTC)
