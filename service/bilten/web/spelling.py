"""Both spellings, in one place: forms send `firstName`, the mock reads `first_name` (contract §4 items 1 and 35).

A model derived from `Body` takes every field under its snake_case name, its camelCase name, or another name the field
lists itself; when several are sent, the first of that order wins. The schema shows the snake_case name and says so.
"""

from collections.abc import Callable
from typing import Any

from pydantic import AliasChoices, AliasGenerator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


def _both(name: str) -> AliasChoices | str:
    camel = to_camel(name)
    return name if camel == name else AliasChoices(name, camel)


def _tell_the_other_spelling(schema: dict[str, Any]) -> None:
    for name, member in schema.get("properties", {}).items():
        camel = to_camel(name)
        if camel != name:
            member["description"] = f"{member.get('description', '').rstrip()} Also taken as `{camel}`.".strip()


def required(*names: str) -> Callable[[dict[str, Any]], None]:
    """The `json_schema_extra` of a `Body` whose handler refuses null for these, and that they are missing.

    For members that the contract has words of its own about: to the model, they default to null.
    """

    def tell(schema: dict[str, Any]) -> None:
        _tell_the_other_spelling(schema)
        schema["required"] = list(names)
        for name in names:
            member = schema["properties"][name]
            del member["default"]
            (kind,) = (branch for branch in member.pop("anyOf") if branch != {"type": "null"})
            member.update(kind)

    return tell


class Body(BaseModel):
    """A JSON request body. Strict: text is not a number; unknown members are ignored, as the frontends send extras."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=_both),
        populate_by_name=True,
        frozen=True,
        strict=True,
        extra="ignore",
        hide_input_in_errors=True,
        json_schema_extra=_tell_the_other_spelling,
    )


class Query(BaseModel):
    """Query parameters; every value arrives as text. Both spellings, unknown parameters ignored."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=_both),
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )


class Form(BaseModel):
    """The text fields of a form with files; every value arrives as text, those of a list one by one. Both spellings."""

    model_config = Query.model_config | ConfigDict(json_schema_extra=_tell_the_other_spelling)


class Path(BaseModel):
    """Path variables. What does not fit is a 404, not a 400: a well-formed path with an odd id (contract §1.5)."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
