"""A zip archive walked by hand, record by record, before anything of it is believed.

Readers of zips disagree where central and local headers do, where records overlap or bytes belong to none: one shows a
harmless document, the next unpacks something else. So every byte has to belong to exactly one record, both headers of
a member have to say the same, and each member has to unpack to just what they say.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from bilten.scanning.budget import Budget
from bilten.scanning.errors import Refused

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DESCRIPTOR = b"PK\x07\x08"
#: The zip64 end record and its locator, as every writer has them.
_END64_BYTES = 56 + 20
_HUGE = 0xFFFFFFFF

_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_STREAMED = 0x0008
_STORED, _DEFLATED = 0, 8
_TAR = slice(257, 262)


@dataclass(frozen=True)
class Member:
    """One file of an archive. `start` is where its packed bytes begin."""

    name: str
    header: int
    start: int
    packed: int
    size: int
    method: int
    flags: int
    crc: int


def damaged(why: str) -> Refused:
    """The refusal of an archive that readers might read differently, or not at all."""
    return Refused("FILE_DAMAGED", f"The document is damaged: {why}.")


def members(data: bytes, budget: Budget) -> list[Member]:
    """All members in the order of their bytes. Raises `Refused`."""
    try:
        return _members(data, budget)
    except struct.error:
        raise damaged("its archive ends too early") from None


def contents(data: bytes, member: Member, budget: Budget) -> bytes:
    """What a member unpacks to. Raises `Refused` where that is more than, or other than, its headers say."""
    packed = data[member.start : member.start + member.packed]
    content = packed if member.method == _STORED else _inflated(packed, member, budget)
    if len(content) != member.size or zlib.crc32(content) != member.crc:
        raise damaged(f"{member.name!r} in it is not what its headers say")
    return content


def _inflated(packed: bytes, member: Member, budget: Budget) -> bytes:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(packed, min(member.size, budget.limits.archive_member_bytes) + 1)
    except zlib.error:
        raise damaged(f"{member.name!r} in it cannot be unpacked") from None
    if unpacker.unconsumed_tail or not unpacker.eof or unpacker.unused_data:
        raise damaged(f"{member.name!r} in it is not what its headers say")
    return content


def _members(data: bytes, budget: Budget) -> list[Member]:
    if data[_TAR] == b"ustar":
        raise damaged("it is a tar archive as well")
    count, directory, end = _end_of_directory(data)
    budget.member(count)
    found = []
    at = directory
    for _ in range(count):
        member, at = _central(data, at)
        budget.will_unpack(member.name, packed=member.packed, unpacked=member.size)
        found.append(member)
    if at != end:
        raise damaged("its list of members has another length than it says")
    if len({member.name for member in found}) != count:
        raise damaged("two members of it have one name")
    found.sort(key=lambda member: member.header)
    _check_framing(data, found, directory)
    return found


def _end_of_directory(data: bytes) -> tuple[int, int, int]:
    """Number of members, start and end of their list."""
    at = len(data) - _END.size
    magic, disk, first_disk, here, count, length, start, comment = _END.unpack_from(data, max(0, at))
    if magic != b"PK\x05\x06" or comment:
        raise damaged("bytes follow its archive, or the archive's end is missing")
    end = start + length
    if disk or first_disk or here != count:
        raise damaged("it is a part of an archive")
    if end + _END64_BYTES == at and data[end : end + 4] == b"PK\x06\x06" and data[at - 20 : at - 16] == b"PK\x06\x07":
        return count, start, end
    if end != at:
        raise damaged("its list of members is not where it must be")
    return count, start, end


def _central(data: bytes, at: int) -> tuple[Member, int]:
    magic, made_by, _, flags, method, _, _, crc, packed, size, name, extra, comment, disk, _, mode, header = (
        _CENTRAL.unpack_from(data, at)
    )
    if magic != b"PK\x01\x02" or disk:
        raise damaged("its list of members is broken")
    start = at + _CENTRAL.size
    raw = data[start : start + name]
    if _HUGE in {packed, size, header}:
        size, packed, header = _sizes64(data[start + name : start + name + extra], size, packed, header)
    said = _name(raw, flags)
    if flags & _ENCRYPTED:
        raise Refused("FILE_NOT_ALLOWED", "The document is encrypted, so it cannot be checked: take off its password.")
    if method not in {_STORED, _DEFLATED}:
        raise Refused("ARCHIVE_LIMITS", f"{said!r} in the document is packed in a way that cannot be checked.")
    kind = stat.S_IFMT(mode >> 16)
    if made_by >> 8 and kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise Refused("FILE_NOT_ALLOWED", f"{said!r} in the document is a link, not a file.")
    begin = _check_local(data, header, raw, (flags, method, crc, packed, size))
    return Member(said, header, begin, packed, size, method, flags, crc), start + name + extra + comment


def _sizes64(extra: bytes, *short: int) -> Iterator[int]:
    """Sizes and offset, those that are too large for 32 bits taken from the zip64 extra field."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            values = iter(struct.unpack_from(f"<{length // 8}Q", extra, at + 4))
            try:
                return iter([next(values) if value == _HUGE else value for value in short])
            except StopIteration:
                break
        at += 4 + length
    raise damaged("a size in it is missing")


def _name(raw: bytes, flags: int) -> str:
    try:
        name = raw.decode("utf-8" if flags & 0x800 else "cp437")
    except UnicodeDecodeError:
        raise damaged("the name of a member is no text") from None
    parts = name.removesuffix("/").split("/")
    if not name.isprintable() or "\\" in name or ":" in parts[0] or {"", ".", ".."} & set(parts):
        raise Refused("FILE_NOT_ALLOWED", f"A member of the document has a name that leads out of it: {name[:80]!r}.")
    return name


def _check_local(data: bytes, at: int, raw: bytes, central: tuple[int, int, int, int, int]) -> int:
    """Where the packed bytes start, after the header before them was found to say what the list says."""
    magic, _, flags, method, _, _, crc, packed, size, name, extra = _LOCAL.unpack_from(data, at)
    length: int = _LOCAL.size + name + extra
    start = at + _LOCAL.size
    numbers: tuple[int, ...] = (crc, packed, size)
    # A streamed member's numbers follow it; one with zip64 fields has them there.
    unsaid = {0, _HUGE} if flags & _STREAMED else {_HUGE}
    agrees = all(number == listed or number in unsaid for number, listed in zip(numbers, central[2:], strict=True))
    if magic != b"PK\x03\x04" or data[start : start + name] != raw or (flags, method) != central[:2] or not agrees:
        raise damaged("its list of members contradicts the members")
    return at + length


def _check_framing(data: bytes, found: list[Member], directory: int) -> None:
    """No byte outside of a member, none in two."""
    at = 0
    for member in found:
        if member.header != at:
            raise damaged("members of it overlap, or bytes lie between them")
        at = member.start + member.packed
        if member.flags & _STREAMED:
            at += _descriptor_bytes(data, at, member)
    if at != directory:
        raise damaged("members of it overlap, or bytes lie between them")


def _descriptor_bytes(data: bytes, at: int, member: Member) -> int:
    """Length of the record after a streamed member: with or without its magic, of 4 or 8 bytes a size."""
    for magic in (_DESCRIPTOR, b""):
        for form in ("<III", "<IQQ"):
            record = magic + struct.pack(form, member.crc, member.packed, member.size)
            if data[at : at + len(record)] == record:
                return len(record)
    raise damaged("the record after a member of it is wrong")
