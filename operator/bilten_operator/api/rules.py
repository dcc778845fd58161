"""Rules in CEL, which the API server applies to every write: they hold while the operator is down, too.

A message is a sentence that names the field and says what to do. The generator puts the field's place in the resource
for `{field}`, so that one rule can serve several fields.
"""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

#: Key under which Kubernetes reads rules out of a schema.
VALIDATIONS = "x-kubernetes-validations"


@dataclass(frozen=True)
class Rule:
    """One expression that must be true of `self`, and of `oldSelf` where it compares with what was there before."""

    expression: str
    message: str
    #: Which part of `self` the error is about, like `.replicas`; empty: all of it.
    at: str = ""
    reason: Literal["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired"] = "FieldValueInvalid"

    def wire(self) -> dict[str, Any]:
        """The rule as a CRD spells it."""
        wire = {"rule": self.expression, "message": self.message, "reason": self.reason}
        return {**wire, "fieldPath": self.at} if self.at else wire


class Checked:
    """Annotation of a single value that has rules."""

    def __init__(self, *rules: Rule) -> None:
        self._rules = rules

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        schema[VALIDATIONS] = [*schema.get(VALIDATIONS, []), *(rule.wire() for rule in self._rules)]
        return schema


def present(path: str) -> str:
    """An expression: whether each step of `path`, as `self.a.b`, is there."""
    steps = path.split(".")
    return " && ".join(f"has({'.'.join(steps[:end])})" for end in range(2, len(steps) + 1))


def value(path: str, default: str) -> str:
    """An expression: what is at `path`, or `default`. CEL's own `.?` forgets how long a text can be, which costs."""
    return f"({present(path)} ? {path} : {default})"


def unchanged(path: str) -> str:
    """An expression: the text at `path` is what it was, or absent as it was."""
    nothing = "''"
    return f"{value(f'self.{path}', nothing)} == {value(f'oldSelf.{path}', nothing)}"


def mode(left_out: str = "") -> str:
    """An expression: the mode of a block. `left_out`: what stands for it; by default none that has a block."""
    return value("self.mode", f"'{left_out}'")


def needs(wanted: str, block: str, what: str) -> tuple[Rule, Rule]:
    """The rules of a block that belongs to one value of `mode` and must be there with it."""
    return (
        Rule(
            f"{mode()} != '{wanted}' || has(self.{block})",
            f"{{field}}.{block} is required when {{field}}.mode is {wanted}: {what}",
            reason="FieldValueRequired",
        ),
        belongs(wanted, block),
    )


def belongs(wanted: str, block: str) -> Rule:
    """The rule of a block that has no meaning unless `mode` has this value."""
    return Rule(
        f"{mode()} == '{wanted}' || !has(self.{block})",
        f"{{field}}.{block} has an effect only when {{field}}.mode is {wanted}: remove it, or set the mode to {wanted}",
        at=f".{block}",
        reason="FieldValueForbidden",
    )
