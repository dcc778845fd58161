"""Rows as the audit log keeps them."""

from collections.abc import Mapping
from types import NoneType
from typing import Any

_JSON = (str, int, bool, list, NoneType)


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON has them: amounts, times and ids as text, so that nothing is rounded."""
    return {name: value if isinstance(value, _JSON) else str(value) for name, value in values.items()}
