"""pydantic's JSON schema → the structural schema that Kubernetes takes.

Kubernetes knows no `$ref`, no `null` beside a type, and closes an object by itself: what the schema does not name, it
prunes or refuses. So the schema carries neither `additionalProperties: false` nor `default`: an absent field stays so.
"""

from typing import Any

from pydantic import BaseModel

from bilten_operator.api.block import DEFAULTS
from bilten_operator.api.rules import VALIDATIONS

Schema = dict[str, Any]

#: Said of a schema, and of no use to Kubernetes.
_DROPPED = ("title", "default", "additionalProperties")


def described(model: type[BaseModel]) -> Schema:
    """The structural schema of a model and, under `DEFAULTS`, what stands for a field that is left out.

    Raises ValueError where a field has no description.
    """
    schema = model.model_json_schema(by_alias=True)
    return _convert(schema, schema.get("$defs", {}), [])


def structural(model: type[BaseModel]) -> Schema:
    """The schema of a model as Kubernetes takes it. Raises ValueError where a field has no description."""
    return _without(described(model), {DEFAULTS})


def without_rules(schema: Schema) -> Schema:
    """The same fields, for what the operator writes itself: nothing there is checked twice, and none is required."""
    return _without(schema, {VALIDATIONS, "required"})


def _without(schema: Schema, dropped: set[str]) -> Schema:
    bare = {key: value for key, value in schema.items() if key not in dropped}
    for key in ("items", "additionalProperties"):
        if key in bare:
            bare[key] = _without(bare[key], dropped)
    if "properties" in bare:
        bare["properties"] = {name: _without(field, dropped) for name, field in bare["properties"].items()}
    return bare


def _convert(schema: Schema, definitions: dict[str, Schema], place: list[str]) -> Schema:
    schema = _resolve(schema, definitions)
    result: Schema = {key: value for key, value in schema.items() if key not in {"$defs", "properties", "required"}}
    for key in _DROPPED:
        result.pop(key, None)
    if "properties" in schema:
        result["properties"] = {
            name: _field(field, definitions, [*place, name]) for name, field in schema["properties"].items()
        }
        if required := [name for name in schema.get("required", []) if not _is_defaulted(schema, name)]:
            result["required"] = required
    elif isinstance(values := schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _convert(values, definitions, place)
    if "items" in schema:
        result["items"] = _convert(schema["items"], definitions, place)
    if "const" in result:
        result["enum"] = [result.pop("const")]
    for bound, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if bound in result:  # OpenAPI 3.0: a flag beside the bound
            result[inclusive] = result[bound]
            result[bound] = True
    if VALIDATIONS in result:
        where = ".".join(place) or "metadata.name"
        result[VALIDATIONS] = [
            {**rule, "message": rule["message"].replace("{field}", where)} for rule in result[VALIDATIONS]
        ]
    return result


def _field(schema: Schema, definitions: dict[str, Schema], place: list[str]) -> Schema:
    converted = _convert(schema, definitions, place)
    if not converted.get("description"):
        raise ValueError(f"{'.'.join(place)} has no description")
    return {"description": converted.pop("description"), **converted}


def _is_defaulted(schema: Schema, name: str) -> bool:
    return DEFAULTS in schema["properties"][name]


def _resolve(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """Take the schema out of a reference, or out of a choice between it and null; what is said beside it wins."""
    if "anyOf" in schema:
        (chosen,) = (option for option in schema["anyOf"] if option.get("type") != "null")
        return _resolve({**chosen, **{key: value for key, value in schema.items() if key != "anyOf"}}, definitions)
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        return _resolve({**target, **{key: value for key, value in schema.items() if key != "$ref"}}, definitions)
    return schema
