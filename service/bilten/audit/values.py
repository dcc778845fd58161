"""Rows as the audit log keeps them."""

from collections.abc import Mapping
from typing import Any


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON has them: amounts, times and ids as text, so that nothing is rounded."""
    kept = str | int | bool | list | None
    return {name: value if isinstance(value, kept) else str(value) for name, value in values.items()}
