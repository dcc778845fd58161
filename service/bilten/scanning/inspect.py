"""What a child does for `Workshop`: look at one file, or make its pictures. The arguments come from our own process."""

from pathlib import Path
from typing import Any

from bilten.scanning import sniff
from bilten.scanning.budget import Budget
from bilten.scanning.decode import decode
from bilten.scanning.errors import Refused
from bilten.scanning.limits import Limits
from bilten.scanning.office import check_ole, check_zip
from bilten.scanning.pictures import Header
from bilten.scanning.render import render
from bilten.scanning.types import BY_NAME, AllowedTypes
from bilten.scanning.unpack import unpack

#: A decoder that gives an eighth still reads a JPEG to its end, in a third of the time.
_GLANCE = 1 / 8


def inspect_file(path: str, name: str, declared: str, allowed: AllowedTypes, limits: Limits) -> dict[str, Any]:
    """Width, height and frames of a file that is what its name and declared type say. Raises `Refused`."""
    file, wanted = Path(path), BY_NAME[declared]
    allowed.check_size(wanted, file.stat().st_size)
    with file.open("rb") as opened:
        sniff.agree(opened.read(sniff.HEAD_BYTES), name=name, declared=wanted, allowed=allowed)
    if wanted.kind == "image":
        decoded = decode(file, wanted.name, limits, _glance)
        width, height = decoded.shown
        return {"width": width, "height": height, "frames": decoded.header.frames}
    _check_document(file.read_bytes(), wanted.name, Budget(limits))
    return {"width": None, "height": None, "frames": None}


def _check_document(data: bytes, name: str, budget: Budget) -> None:
    """Unpack all of it, so that every bound is known to hold."""
    family = sniff.sniff(data[: sniff.HEAD_BYTES]).family
    if family == sniff.ZIP:
        parts = check_zip(data, name, budget)
    elif family == sniff.OLE:
        parts = check_ole(data, name, budget)
    else:
        parts = unpack(data, budget)
    for _ in parts:
        pass


def _glance(_header: Header) -> float:
    return _GLANCE


def render_file(path: str, out_dir: str, limits: Limits) -> dict[str, Any]:
    """`Rendering`'s fields. Raises `Refused`, also for what is no picture."""
    with Path(path).open("rb") as opened:
        family = sniff.sniff(opened.read(sniff.HEAD_BYTES)).family
    if BY_NAME.get(family) is None or BY_NAME[family].kind != "image":
        raise Refused("CONTENT_MISMATCH", "The file is no picture.")
    return render(path, family, out_dir, limits)
