"""What the databases and the object stores of an instance have in common: the operator runs one, or one exists."""

from typing import Any

from bilten_operator.api.block import Block, Environment
from bilten_operator.api.rules import Rule, unchanged


def fixed_mode(data: str) -> Rule:
    """The rule of a `mode` that says where `data` is."""
    return Rule(
        "self == oldSelf",
        f"{{field}} cannot be changed, as {data} would stay behind: set it back, or make a new instance",
        reason="FieldValueForbidden",
    )


def fixed_class(path: str, instead: str) -> Rule:
    """The rule of the storage class at `path`; `instead` says what one does who wants another."""
    return Rule(
        unchanged(path),
        f"{{field}}.{path} cannot be changed, as volumes do not move between classes: set it back, or {instead}",
        at=".managed",
        reason="FieldValueForbidden",
    )


class ManagedOrExternal(Block):
    """A block whose `mode` is one of the two, with a block for each."""

    @classmethod
    def fill(cls, values: dict[str, Any], environment: Environment) -> dict[str, Any]:
        """What is managed is described even where nothing is asked of it."""
        if values.get("mode") == "Managed":
            values.setdefault("managed", {})
        return super().fill(values, environment)
