"""Values of hand-written SQL: they become `$1`, `$2`, … and never text.

The same combination of filters makes the same statement, so that each is prepared once a connection.
"""

from collections.abc import Iterable
from typing import Any


class Arguments:
    """The values of one statement, in the order of their placeholders."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self.values: list[Any] = list(values)

    def add(self, value: Any) -> str:
        """Keep a value and return its placeholder."""
        self.values.append(value)
        return f"${len(self.values)}"
