"""Files looked at, and pictures made anew, each in a child of its own: what routes and jobs call."""

import os
from dataclasses import dataclass
from pathlib import Path

from bilten.scanning.child import ChildLimits, Children
from bilten.scanning.inspect import inspect_file, render_file
from bilten.scanning.limits import Limits
from bilten.scanning.names import safe_name
from bilten.scanning.types import AllowedTypes, Kind
from bilten.settings import Settings

#: Loaded once, before the fork. Without the second, every child would spend 20 ms on importing what it starts with.
PRELOAD = ["bilten.scanning.inspect", "bilten.scanning.child"]


@dataclass(frozen=True)
class Inspection:
    """What a file is, of which nothing is wrong. `media_type` is the canonical one, `name` safe to store.

    Width and height are in pixels as the picture is seen, orientation applied; None for documents.
    """

    name: str
    media_type: str
    kind: Kind
    width: int | None
    height: int | None
    frames: int | None


@dataclass(frozen=True)
class Variant:
    """One picture made anew, in `path`. Of a small original, two names may have the same bytes and so one sha256."""

    name: str
    media_type: str
    width: int
    height: int
    path: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Rendering:
    """All that is shown of a picture; width and height are the original's as it is seen.

    `placeholder` is a data URI of some hundred bytes, `mean_color` is `#rrggbb` on white.
    """

    width: int
    height: int
    placeholder: str
    mean_color: str
    variants: list[Variant]


class Workshop:
    """Open it before use and close it at the end; one of each process is enough."""

    def __init__(self, settings: Settings) -> None:
        self.allowed = allowed_types(settings)
        self._limits = limits_of(settings)
        self._children = children_of(settings)

    async def open(self) -> None:
        """Start the fork server, so that the first file does not wait for it. Raises `WorkshopUnavailable`."""
        await self._children.run(os.getpid)

    async def close(self) -> None:
        """Take no more work."""
        self._children.close()

    async def inspect(self, path: Path, *, name: str, declared: str) -> Inspection:
        """What the file is. `name` and `declared` are as the client sent them.

        Raises `Refused`; `InspectionFailed` when looking at it took too much; `WorkshopUnavailable`.
        """
        declared_type = self.allowed.declared(declared)
        stored = safe_name(name)
        told = await self._children.run(inspect_file, str(path), stored, declared_type.name, self.allowed, self._limits)
        return Inspection(name=stored, media_type=declared_type.media_type, kind=declared_type.kind, **told)

    async def render(self, path: Path, out_dir: Path) -> Rendering:
        """Write all variants of a picture into a folder. Raises as `inspect` does."""
        told = await self._children.run(render_file, str(path), str(out_dir), self._limits)
        variants = [Variant(**{**each, "path": Path(each["path"])}) for each in told.pop("variants")]
        if any(each.path.parent != out_dir for each in variants):
            raise ValueError("a child names a file that is not its own")
        return Rendering(**told, variants=variants)


def allowed_types(settings: Settings) -> AllowedTypes:
    """What this installation takes."""
    return AllowedTypes.named(
        settings.upload_types,
        max_image_bytes=settings.max_image_bytes,
        max_document_bytes=settings.max_document_bytes,
    )


def limits_of(settings: Settings) -> Limits:
    """Bounds of what lies within a file."""
    return Limits(image_pixels=settings.max_image_pixels)


def children_of(settings: Settings) -> Children:
    """Children within the settings' bounds."""
    return Children(
        at_once=settings.inspection_processes or os.cpu_count() or 1,
        limits=ChildLimits(
            memory_bytes=settings.inspection_memory_bytes,
            cpu_s=max(1, round(settings.inspection_timeout_s)),
            wall_s=settings.inspection_timeout_s,
        ),
        preload=PRELOAD,
    )
