"""Ids as clients send them: UUIDs, and the small integers that older clients still know (contract §4 item 11)."""

import re
from uuid import UUID

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LEGACY = re.compile(r"[1-9][0-9]{0,8}")

Reference = UUID | int


def parse(text: str | int) -> Reference | None:
    """The id that `text` names; None when it can name nothing, which means 404 and never 400."""
    text = str(text)
    if _UUID.fullmatch(text):
        return UUID(text)
    return int(text) if _LEGACY.fullmatch(text) else None
