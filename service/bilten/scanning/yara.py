"""YARA-X in place of clamd, for development only: it knows the EICAR test file, and looks at every part of a file.

It shows the whole way of a file, refusal included, on a machine without clamd; it finds no real virus. What cannot be
unpacked within the limits is unscannable. Unpacking and scanning happen in a child.
"""

import hashlib
import importlib.metadata
import importlib.util
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bilten.scanning.child import Children
from bilten.scanning.errors import InspectionFailed, ScanUnavailable, WorkshopUnavailable
from bilten.scanning.limits import Limits
from bilten.scanning.scanner import EngineVersion, Verdict
from bilten.scanning.yara_work import RULES, scan_file

_PACKAGE = "yara-x"


def installed() -> bool:
    """Whether the wheel is there; it comes with `make up`, not with the image."""
    return importlib.util.find_spec("yara_x") is not None


class YaraScanner:
    """See `Scanner`. Files beyond `max_bytes` are unscannable."""

    def __init__(self, children: Children, limits: Limits, *, max_bytes: int) -> None:
        self._children = children
        self._limits = limits
        self._max_bytes = max_bytes
        self._version = EngineVersion(
            f"yara-x {importlib.metadata.version(_PACKAGE)}", hashlib.sha256(RULES.encode()).hexdigest()[:12], None
        )

    async def scan(self, chunks: AsyncIterator[bytes]) -> Verdict:
        """See `Scanner`."""
        with tempfile.NamedTemporaryFile(prefix="bilten-scan-") as file:
            size = 0
            async for chunk in chunks:
                size += len(chunk)
                if size > self._max_bytes:
                    return self._verdict({"word": "unscannable", "signature": "Bilten.TooLarge"})
                file.write(chunk)
            file.flush()
            try:
                found = await self._children.run(scan_file, str(Path(file.name)), self._limits)
            except InspectionFailed as failed:
                found = {"word": "unscannable", "signature": f"Bilten.Limits.{failed.reason.title()}"}
            except WorkshopUnavailable as error:
                raise ScanUnavailable(str(error)) from error
        return self._verdict(found)

    def _verdict(self, found: dict[str, Any]) -> Verdict:
        return Verdict(found["word"], found["signature"], self._version.engine, self._version.signatures)

    async def version(self) -> EngineVersion:
        """See `Scanner`."""
        return self._version

    async def close(self) -> None:
        """Let go of the children's threads."""
        self._children.close()
