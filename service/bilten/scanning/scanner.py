"""The port to a virus scanner. There is no verdict but these three, and none at all when it could not look."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Word = Literal["clean", "infected", "unscannable"]


@dataclass(frozen=True)
class EngineVersion:
    """`signatures` is the version of the set; `made_at` when it was made, None where the engine does not say."""

    engine: str
    signatures: str
    made_at: datetime | None


@dataclass(frozen=True)
class Verdict:
    """What the engine says of some bytes; `signature` is what it found, or why it could not look at all of it.

    `engine` and `signatures` were in use no later than the scan: a set that came during it counts as not yet used.
    """

    word: Word
    signature: str | None
    engine: str
    signatures: str


class Scanner(Protocol):
    """Anything that gives verdicts. Both calls raise `ScanUnavailable`, and nothing else of their own."""

    async def scan(self, chunks: AsyncIterator[bytes]) -> Verdict:
        """The verdict on these bytes. What `chunks` raises is passed on."""

    async def version(self) -> EngineVersion:
        """What would scan now; at most seconds old."""

    async def close(self) -> None:
        """Let go of processes and threads."""
