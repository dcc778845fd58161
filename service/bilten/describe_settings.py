"""`bilten settings`: the table of settings for the README, from the settings themselves."""

import sys
from typing import Any

from pydantic_core import PydanticUndefined

from bilten.settings import PROFILES, Settings


def table() -> str:
    """A Markdown table: variable, default, what it does."""
    rows = ["| variable | default | what it does |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `BILTEN_{name.upper()}` | {_default(name, field)} | {field.description} |")
    return "\n".join(rows) + "\n"


def _default(name: str, field: Any) -> str:
    development = PROFILES["development"].get(name)
    if field.is_required():
        return "required; `make up` makes one"
    value = field.default_factory() if field.default_factory is not None else field.default
    return f"{_show(value)}; development {_show(development)}" if development is not None else _show(value)


def _show(value: Any) -> str:
    if value is None or value is PydanticUndefined or value in ([], ""):
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"`{','.join(value)}`" if isinstance(value, list) else f"`{value}`"


def main(_argv: list[str]) -> int:
    """Print the table."""
    sys.stdout.write(table())
    return 0
