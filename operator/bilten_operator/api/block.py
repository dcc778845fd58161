"""The base of all parts of the API type: strict, frozen, and complete in memory.

A model describes the *effective* specification, so builders never meet a missing value. What the resource may leave
out is filled in while it is read, by the environment; the stored `spec` stays as it was written. The generator leaves
those fields out of `required`.
"""

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from bilten_operator.api.rules import VALIDATIONS, Rule

Environment = Literal["development", "staging", "production"]

#: Key of a field's JSON schema: what each environment fills in. Not part of the CRD; the generator takes it out.
DEFAULTS = "x-bilten-defaults"


def by_environment(*, development: Any, staging: Any, production: Any, description: str, **constraints: Any) -> Any:
    """A field that may be left out; what it then is depends on the environment. Values as in the resource."""
    defaults = {"development": development, "staging": staging, "production": production}
    return Field(description=description, json_schema_extra={DEFAULTS: defaults}, **constraints)


def everywhere(default: Any, *, description: str, **constraints: Any) -> Any:
    """A field that may be left out and then is the same in every environment."""
    return by_environment(
        development=default, staging=default, production=default, description=description, **constraints
    )


class Block(BaseModel):
    """A part of the resource: snake_case here, camelCase on the wire, no unknown fields."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="forbid", frozen=True
    )

    #: What the API server checks of the whole block.
    RULES: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def fill(cls, values: dict[str, Any], environment: Environment) -> dict[str, Any]:
        """Add what was left out. Overridden where it depends on more than the environment."""
        for name, field in cls.model_fields.items():
            if isinstance(field.json_schema_extra, dict) and DEFAULTS in field.json_schema_extra:
                defaults: Any = field.json_schema_extra[DEFAULTS]
                values.setdefault(to_camel(name), defaults[environment])
        return values

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any, info: ValidationInfo) -> Any:
        if info.context is None or not isinstance(values, dict):
            return values
        return cls.fill(dict(values), info.context["environment"])

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        if cls.RULES:
            handler.resolve_ref_schema(schema)[VALIDATIONS] = [rule.wire() for rule in cls.RULES]
        return schema
