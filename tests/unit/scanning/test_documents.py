"""Archives within office documents: every bound, and every way in which headers lie, is found before anything trusts
them. What is listed here made scanners or unpackers of others look away."""

import os
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from bilten.scanning.errors import Refused
from bilten.scanning.inspect import inspect_file
from bilten.scanning.limits import Limits
from bilten.scanning.types import AllowedTypes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import documents
from support.documents import Entry

MIB = 1024 * 1024


def inspected(folder: Path, content: bytes, kind: str = "docx") -> None:
    path = folder / "upload"
    path.write_bytes(content)
    inspect_file(str(path), f"a.{kind}", kind, AllowedTypes(), Limits())


def refused(folder: Path, content: bytes, kind: str = "docx") -> Refused:
    with pytest.raises(Refused) as refusal:
        inspected(folder, content, kind)
    return refusal.value


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (documents.office("docx"), "docx"),
        (documents.office("xlsx"), "xlsx"),
        (documents.odt(), "odt"),
        (documents.raw_office(), "docx"),
        (documents.streamed({"[Content_Types].xml": documents.content_types("docx"), "word/a.xml": b"<w/>"}), "docx"),
        (documents.office(more={"word/media/": b"", "word/media/صورة.png": b"x" * 9}), "docx"),
        (documents.office(more={"word/embeddings/table.xlsx": documents.office("xlsx")}), "docx"),
        (documents.office(more={"word/embeddings/oleObject1.bin": documents.ole({"CONTENTS": b"a chart"})}), "docx"),
        (documents.office(more={"[trash]/0.dat": bytes(3 * MIB)}), "docx"),
        (documents.raw_office(Entry(b"word/x.bin", b"stored", method=0)), "docx"),
    ],
)  # fmt: skip
def test_documents_as_office_programs_write_them_are_taken(tmp_path: Path, content: bytes, kind: str):
    inspected(tmp_path, content, kind)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (documents.office("xlsx"), "docx"),
        (documents.office("docx"), "xlsx"),
        (documents.odt(), "docx"),
        (documents.office("docx"), "odt"),
        (documents.zipped({"a.txt": b"a"}), "docx"),
        (documents.zipped({"META-INF/MANIFEST.MF": b"Main-Class: A"}), "docx"),
        (documents.zipped({}), "docx"),
        (documents.odt(mimetype=b"application/epub+zip"), "odt"),
        (documents.zipped({"content.xml": b"", "mimetype": documents.ODT}), "odt"),
    ],
)
def test_an_archive_of_another_kind_is_refused(tmp_path: Path, content: bytes, kind: str):
    assert refused(tmp_path, content, kind).code == "CONTENT_MISMATCH"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (documents.office("docm", {"word/vbaProject.bin": documents.ole({"VBA/dir": b""})}), "docx"),
        (documents.office("docm"), "docx"),
        (documents.office("docx", {"word/vbaProject.bin": b""}), "docx"),
        (documents.office("docx", {"word/VBAPROJECT.BIN": b""}), "docx"),
        (documents.office("xlsx", {"xl/macrosheets/sheet1.xml": b""}), "xlsx"),
        (documents.office("docx", {"word/activeX/activeX1.bin": b""}), "docx"),
        (documents.office("docx", {"word/embeddings/a.docm": documents.office("docm", {"word/vbaProject.bin": b""})}),
         "docx"),
        (documents.odt({"Basic/Standard/Module1.xml": b""}), "odt"),
        (documents.odt({"Scripts/python/a.py": b""}), "odt"),
    ],
)  # fmt: skip
def test_macros_are_refused_wherever_they_are(tmp_path: Path, content: bytes, kind: str):
    refusal = refused(tmp_path, content, kind)
    assert refusal.code == "FILE_NOT_ALLOWED"
    assert "macros" in refusal.message


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (documents.raw_office(Entry(b"word/a.xml", flags=1)), "docx"),
        (documents.raw_office(Entry(b"word/a.xml", flags=0x2000)), "docx"),
        (documents.ole({"EncryptionInfo": b"", "EncryptedPackage": b"x" * 5000}), "docx"),
        (documents.ole({"EncryptionInfo": b"", "EncryptedPackage": b""}), "xlsx"),
        (documents.odt({"META-INF/manifest.xml": b"<manifest:encryption-data/>"}), "odt"),
        (documents.word(flags=0x0100), "doc"),
        (documents.pdf(b"x", trailer=b"/Encrypt 9 0 R"), "pdf"),
    ],
)
def test_encrypted_documents_are_refused_with_what_to_do(tmp_path: Path, content: bytes, kind: str):
    refusal = refused(tmp_path, content, kind)
    assert refusal.code == "FILE_NOT_ALLOWED"
    assert "take off its password" in refusal.message


@pytest.mark.parametrize(
    "name",
    [b"../../etc/passwd", b"/etc/passwd", b"word\\..\\a", b"C:/a", b"a/./b", b"a//b", b"..", b"a\0.xml", b"a\nb", b""],
)
def test_names_that_lead_out_of_the_archive_are_refused(tmp_path: Path, name: bytes):
    assert refused(tmp_path, documents.raw_office(Entry(name))).code == "FILE_NOT_ALLOWED"


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o020644, 0o060644])
def test_links_and_devices_are_refused(tmp_path: Path, mode: int):
    content = documents.raw_office(Entry(b"word/link", b"/etc/passwd", mode=mode))
    assert refused(tmp_path, content).code == "FILE_NOT_ALLOWED"


LIES = {
    "another name in the list": documents.raw_office(Entry(b"word/a.exe", listed_name=b"word/a.xml")),
    "a smaller size in the list": documents.raw_office(Entry(b"word/a", bytes(900), listed_size=9)),
    "a smaller size in both": documents.raw_office(Entry(b"word/a", bytes(900), listed_size=9, local_size=9)),
    "a larger size in both": documents.raw_office(Entry(b"word/a", b"x", listed_size=9, local_size=9)),
    "not deflated": documents.raw_office(Entry(b"word/a", b"x", packed=b"no deflate")),
    "bytes after the deflated ones": documents.raw_office(Entry(b"word/a", b"", packed=b"\x03\0" + b"hidden")),
    "bytes between members": documents.raw_office(Entry(b"word/a", gap=b"hidden"), Entry(b"word/b")),
    "bytes before the list": documents.raw_office(Entry(b"word/a", gap=b"hidden")),
    "bytes before the archive": documents.raw_office(before=b"PK\x03\x04"),
    "bytes after the archive": documents.raw_office(end=b"hidden"),
    "overlapping members": documents.overlapping(),
    "one name twice": documents.raw_office(Entry(b"word/a"), Entry(b"word/a")),
    "fewer members than are there": documents.raw_zip([Entry(b"[Content_Types].xml"), Entry(b"b")], count=1),
    "more members than are there": documents.raw_zip([Entry(b"[Content_Types].xml")], count=2),
    "a list elsewhere": documents.office()[:-6] + b"\0\0\0\0\0\0",
    "a comment that is not there": documents.office()[:-2] + b"\x05\0",
    "cut in half": documents.office()[: len(documents.office()) // 2],
    "only a header": b"PK\x03\x04",
    "streamed, with a wrong record": documents.raw_office(Entry(b"word/a", flags=8)),
    "tar as well": documents.raw_zip([Entry(b"a" * 227 + b"ustar\0" + b"b" * 20), Entry(b"[Content_Types].xml")]),
}


@pytest.mark.parametrize("lie", LIES)
def test_archives_that_readers_read_differently_are_refused(tmp_path: Path, lie: str):
    assert refused(tmp_path, LIES[lie]).code == "FILE_DAMAGED"


BOMBS = {
    "105 MB in one member": lambda: documents.office(more={"word/media/a.bin": bytes(105 * MIB)}),
    "70 MB in one member of no great ratio": lambda: documents.office(
        more={"word/media/a.bin": (os.urandom(64 * 1024) + bytes(4 * MIB)) * 17}
    ),
    "10051 members": lambda: documents.office(more={f"word/{number}": b"" for number in range(10_051)}),
    "20 levels": lambda: documents.nested(20, b"deep"),
    "flat, 1000 to 1": lambda: documents.office(more={"word/media/a.bin": bytes(40 * MIB)}),
    "much in many": lambda: documents.zipped(
        [("[Content_Types].xml", documents.content_types("docx")), *((f"{each}", bytes(4 * MIB)) for each in range(51))]
    ),
    "like 42.zip": lambda: documents.office(
        more={f"word/{each}.zip": documents.zipped({"a": bytes(4 * MIB)}) for each in range(51)}
    ),
    "members of members": lambda: documents.office(
        more={f"{each}.zip": documents.zipped({f"{n}": b"" for n in range(300)}) for each in range(7)}
    ),
    "another method": lambda: documents.raw_office(Entry(b"word/a", method=12)),
    "an archive that cannot be opened": lambda: documents.office(more={"word/a.7z": b"7z\xbc\xaf\x27\x1c" + bytes(40)}),
    "a RAR in an OLE object": lambda: documents.office(
        more={"word/o.bin": documents.ole({"\x01Ole10Native": b"12345678Rar!\x1a\x07\0"})}
    ),
    "an archive in an OLE object": lambda: documents.office(
        more={"word/o.bin": documents.ole({"\x01Ole10Native": b"12345678" + documents.zipped({"a": b""})})}
    ),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_archives_beyond_the_bounds_are_refused_soon(tmp_path: Path, bomb: str):
    content = BOMBS[bomb]()
    began = time.process_time()
    assert refused(tmp_path, content).code == "ARCHIVE_LIMITS"
    assert time.process_time() - began < 3


def test_archives_within_archives_are_taken_to_the_third_level(tmp_path: Path):
    inspected(tmp_path, documents.nested(3, b"deep"))
    assert refused(tmp_path, documents.nested(4, b"deep")).code == "ARCHIVE_LIMITS"


def test_entities_and_remote_templates_are_refused(tmp_path: Path):
    laughs = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l>&b;</l>'
    for xml in (laughs, laughs.decode().encode("utf-16")):
        assert refused(tmp_path, documents.office(more={"word/a.xml": xml})).code == "FILE_NOT_ALLOWED"
    relation = b'<Relationship Type="x/attachedTemplate" Target="%s" TargetMode="External"/>'
    for target in (b"https://evil.example/a.dotm", b"\\\\evil\\a.dotm", b"file://evil/a.dotm"):
        more = {"word/_rels/settings.xml.rels": relation % target}
        assert refused(tmp_path, documents.office(more=more)).code == "FILE_NOT_ALLOWED"
    inspected(tmp_path, documents.office(more={"word/_rels/settings.xml.rels": relation % b"file:///C:\\Normal.dotm"}))


RELATION = '<Relationships><Relationship Type="x/%s" Target="%s" TargetMode="External"/></Relationships>'


@pytest.mark.parametrize(
    "relations",
    [
        RELATION % ("attachedTemplate", "&#104;ttps://evil.example/a.dotm"),
        RELATION % ("attachedTempl&#97;te", "https://evil.example/a.dotm"),
        RELATION % ("attachedTemplate", " ht&#10;tp://evil.example/a.dotm"),
        RELATION % ("attachedTemplate", "mhtml:https://evil.example/a.dotm"),
        RELATION % ("attachedTemplate", "file:////evil/a.dotm"),
        RELATION % ("attachedTemplate", "file:///%5C%5Cevil/a.dotm"),
        RELATION % ("attachedTemplate", "/\\evil/a.dotm"),
        RELATION.replace("<Relationship ", "<Relationship Id='>' ") % ("attachedTemplate", "https://evil.example/a"),
        '<?xml version="1.0" encoding="utf-16"?>' + RELATION % ("attachedTemplate", "https://evil.example/a.dotm"),
        '<!DOCTYPE a [<!ATTLIST Relationship Type CDATA "x/attachedTemplate">]><Relationship Target="https://e.example"/>',
    ],
)  # fmt: skip
def test_a_remote_template_is_refused_however_its_relation_is_written(tmp_path: Path, relations: str):
    encoded = relations.encode("utf-16" if "utf-16" in relations else "utf-8")
    content = documents.office(more={"word/_rels/settings.xml.rels": encoded})
    assert refused(tmp_path, content).code == "FILE_NOT_ALLOWED"


@pytest.mark.parametrize(
    "target", ["Normal.dotm", "file:///C:/Users/a/Normal.dotm", "C:\\T%20a\\b.dotm", "/Users/a/b.dotm", "../b.dotm"]
)
def test_a_local_template_and_links_to_anywhere_are_taken(tmp_path: Path, target: str):
    links = RELATION % ("hyperlink", "https://example.org/?a=1&amp;b=2")
    more = {"word/_rels/settings.xml.rels": RELATION % ("attachedTemplate", target), "word/_rels/a.rels": links}
    inspected(tmp_path, documents.office(more={name: content.encode() for name, content in more.items()}))


@pytest.mark.parametrize(
    ("relations", "code"),
    [
        (b"<" * 150_000, "FILE_DAMAGED"),
        (b"<a>" * 1_000_000, "ARCHIVE_LIMITS"),
        (b"<a>" + b"<b/>" * 200_000 + b"</a>", "ARCHIVE_LIMITS"),
        (b'<a b="' + os.urandom(2_200_000).hex().encode() + b'"/>', "ARCHIVE_LIMITS"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "FILE_NOT_ALLOWED"),
        (b'<?xml version="1.0" encoding="cp037"?><a/>', "FILE_NOT_ALLOWED"),
        (b"\xff<a/>", "FILE_DAMAGED"),
        (b"", "FILE_DAMAGED"),
    ],
    ids=["brackets", "open elements", "many elements", "long", "UTF-7", "EBCDIC", "no UTF-8", "empty"],
)
def test_relations_that_are_no_xml_or_too_many_are_refused_soon(tmp_path: Path, relations: bytes, code: str):
    began = time.process_time()
    assert refused(tmp_path, documents.office(more={"_rels/.rels": relations})).code == code
    assert time.process_time() - began < 3


@pytest.mark.parametrize("name", ["[Content_Types].xml", "[content_types].XML"])
def test_macros_are_refused_however_their_type_is_written(tmp_path: Path, name: str):
    kind = "application/vnd.ms-word.document.macro&#69;nabled.main+xml"
    types = documents.content_types("docx").replace(b"<Override", f'<Default ContentType="{kind}"/><Override'.encode())
    parts = {"[Content_Types].xml": documents.content_types("docx"), "word/document.xml": b"<w/>", name: types}
    refusal = refused(tmp_path, documents.zipped(parts))
    assert refusal.code == "FILE_NOT_ALLOWED"
    assert "macros" in refusal.message


def test_a_doc_is_taken_and_what_only_looks_like_one_is_not(tmp_path: Path):
    inspected(tmp_path, documents.word(), "doc")
    assert refused(tmp_path, documents.word(more={"Macros/VBA": b""}), "doc").code == "FILE_NOT_ALLOWED"
    assert refused(tmp_path, documents.word(more={"_VBA_PROJECT": b""}), "doc").code == "FILE_NOT_ALLOWED"
    assert refused(tmp_path, documents.ole({"Workbook": b""}), "doc").code == "CONTENT_MISMATCH"
    assert refused(tmp_path, documents.word(), "docx").code == "CONTENT_MISMATCH"
    assert refused(tmp_path, documents.word(magic=0xA5DC), "doc").code == "FILE_DAMAGED"
    assert refused(tmp_path, documents.word()[:1500], "doc").code == "FILE_DAMAGED"
    assert refused(tmp_path, documents.word()[:100], "doc").code == "FILE_DAMAGED"
    bomb = documents.word(more={"ObjectPool": documents.zipped({"a": bytes(105 * MIB)})})
    assert refused(tmp_path, bomb, "doc").code == "ARCHIVE_LIMITS"


def test_a_doc_that_is_a_zip_as_well_is_refused(tmp_path: Path):
    assert refused(tmp_path, documents.word() + documents.zipped({"a.exe": b"MZ"}), "doc").code == "FILE_DAMAGED"
    assert refused(tmp_path, documents.word(more={"Data": bytes(9000)})[:-22] + documents.zipped({}), "doc").code == (
        "FILE_DAMAGED"
    )


@pytest.mark.parametrize("of", ["the directory", "a stream"])
def test_sectors_of_an_ole_file_that_run_in_circles_are_not_followed_for_ever(tmp_path: Path, of: str):
    whole = documents.word(more={"Data": bytes(9000)})
    directory, table = (int.from_bytes(whole[at : at + 4], "little") for at in (48, 76))
    sector = directory if of == "the directory" else 3
    at = (table + 1) * 512 + 4 * sector
    began = time.process_time()
    with suppress(Refused):
        inspected(tmp_path, whole[:at] + sector.to_bytes(4, "little") + whole[at + 4 :], "doc")
    assert time.process_time() - began < 1


@pytest.mark.parametrize("kind", ["docx", "odt", "doc", "pdf"])
def test_whatever_is_changed_in_a_document_it_is_taken_or_refused(tmp_path: Path, kind: str):
    whole = {
        "docx": documents.office(more={"word/o.bin": documents.ole({"CONTENTS": b""})}),
        "odt": documents.odt(),
        "doc": documents.word(),
        "pdf": documents.pdf(b"BT ET" * 99),
    }[kind]

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), min_size=1, max_size=5))
    def changed(changes: list[tuple[int, int]]) -> None:
        content = bytearray(whole)
        for at, byte in changes:
            content[at] = byte
        try:
            inspected(tmp_path, bytes(content), kind)
        except Refused:
            return

    changed()


def test_what_is_taken_unpacks_elsewhere_to_the_same(tmp_path: Path):
    """The standard library agrees on every document that is taken, whatever was changed in it."""
    whole = documents.office(more={"word/a.xml": b"<a/>" * 50})
    taken = 0
    for at in range(0, len(whole), 3):
        content = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        try:
            inspected(tmp_path, content)
        except Refused:
            continue
        taken += 1
        with zipfile.ZipFile(tmp_path / "upload") as archive:
            assert archive.testzip() is None
    assert taken
