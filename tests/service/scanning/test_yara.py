"""YARA-X where no clamd is: it looks at every part that the guards unpack, and what they cannot is unscannable."""

from collections.abc import AsyncIterator

import pytest
from bilten.local.clamd import eicar
from bilten.scanning.child import ChildLimits, Children
from bilten.scanning.limits import Limits
from bilten.scanning.workshop import PRELOAD
from bilten.scanning.yara import YaraScanner
from support import documents, scanned
from support.scanned import MIB, chunks


def scanner_within(**limits: float) -> YaraScanner:
    children = Children(at_once=2, limits=ChildLimits(**limits), preload=PRELOAD)  # type: ignore[arg-type]
    return YaraScanner(children, Limits(), max_bytes=50 * MIB)


@pytest.fixture
async def yara() -> AsyncIterator[YaraScanner]:
    scanner = scanner_within()
    yield scanner
    await scanner.close()


@pytest.mark.parametrize("wrapping", scanned.WRAPPINGS)
async def test_the_test_file_is_found_in_every_wrapping(yara: YaraScanner, wrapping: str):
    verdict = await yara.scan(chunks(scanned.WRAPPINGS[wrapping]()))
    assert (verdict.word, verdict.signature) == ("infected", "Eicar_Test_Signature")
    assert verdict.engine.startswith("yara-x 1.")


@pytest.mark.parametrize("content", [b"", b"harmless", documents.office(), documents.odt(), documents.pdf(b"x")])
async def test_what_holds_nothing_is_clean(yara: YaraScanner, content: bytes):
    verdict = await yara.scan(chunks(content))
    assert (verdict.word, verdict.signature) == ("clean", None)


@pytest.mark.parametrize(
    "content",
    [
        documents.nested(20, b"deep"),
        documents.zipped([(f"{each}", b"") for each in range(10_051)]),
        documents.zipped({"a": bytes(105 * MIB), "b": eicar()}),
        documents.raw_zip([documents.Entry(b"a", flags=1)]),
        documents.zipped({"a.7z": b"7z\xbc\xaf\x27\x1c" + bytes(50)}),
        documents.office()[:-30],
        b"Rar!\x1a\x07\0" + bytes(90),
    ],
    ids=["20 levels", "10051 members", "105 MB member", "encrypted", "7z within", "cut off", "rar"],
)
async def test_what_cannot_be_unpacked_is_unscannable(yara: YaraScanner, content: bytes):
    verdict = await yara.scan(chunks(content))
    assert verdict.word == "unscannable"
    assert verdict.signature is not None
    assert verdict.signature.startswith("Bilten.")


async def test_a_file_that_is_too_long_or_takes_too_much_is_unscannable(yara: YaraScanner):
    verdict = await yara.scan(chunks(bytes(51 * MIB), MIB))
    assert (verdict.word, verdict.signature) == ("unscannable", "Bilten.TooLarge")
    poor = scanner_within(wall_s=0.001)
    verdict = await poor.scan(chunks(eicar()))
    assert (verdict.word, verdict.signature) == ("unscannable", "Bilten.Limits.Time")
    await poor.close()


async def test_the_version_is_the_engines_and_that_of_the_rules(yara: YaraScanner):
    version = await yara.version()
    assert version.engine.startswith("yara-x ")
    assert len(version.signatures) == 12
    assert version.made_at is None
