"""Which scanner: clamd wherever one is named; without, YARA-X in development; else none, and nothing is ever clean."""

from collections.abc import AsyncIterator

from bilten.scanning import yara
from bilten.scanning.clamd import Address, ClamdScanner
from bilten.scanning.errors import ScanUnavailable
from bilten.scanning.scanner import EngineVersion, Scanner, Verdict
from bilten.scanning.workshop import children_of, limits_of
from bilten.settings import Settings


class NoScanner:
    """Stands where none is set up: files wait, and readiness says why."""

    async def scan(self, _chunks: AsyncIterator[bytes]) -> Verdict:
        """Raises `ScanUnavailable`."""
        raise _none()

    async def version(self) -> EngineVersion:
        """Raises `ScanUnavailable`."""
        raise _none()

    async def close(self) -> None:
        """Nothing is open."""


def _none() -> ScanUnavailable:
    return ScanUnavailable("No virus scanner is set up: name clamd with BILTEN_CLAMD_SOCKET or BILTEN_CLAMD_HOST.")


def scanner_of(settings: Settings) -> Scanner:
    """The scanner that the settings name. To be called within the event loop, and closed at the end."""
    if settings.clamd_socket or settings.clamd_host:
        address = Address(settings.clamd_socket, settings.clamd_host or "", settings.clamd_port)
        return ClamdScanner(
            address,
            max_bytes=settings.clamd_max_bytes,
            concurrency=settings.clamd_concurrency,
            timeout_s=settings.clamd_timeout_s,
        )
    if settings.environment == "development" and yara.installed():
        largest = max(settings.max_image_bytes, settings.max_document_bytes)
        return yara.YaraScanner(children_of(settings), limits_of(settings), max_bytes=largest)
    return NoScanner()
