"""OpenAPI 3.1 from the same signatures that validate: it cannot say what the service does not do."""

import re
from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema

from bilten import __version__
from bilten.web import openapi_bytes
from bilten.web.answers import Answer
from bilten.web.dispatch import IDEMPOTENCY_KEY
from bilten.web.endpoint import Endpoint
from bilten.web.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    InternalError,
    NotFound,
    PayloadTooLarge,
    PreconditionFailed,
    RangeNotSatisfiable,
    RequestTimeout,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnprocessableEntity,
    UnsupportedMediaType,
    ValidationFailed,
)

REF = "#/components/schemas/{model}"
BASE = "/api/v1"

_ERROR_SCHEMA = {
    "type": "object",
    "required": ["success", "error", "code", "message", "details", "requestId"],
    "properties": {
        "success": {"const": False},
        "error": {"type": "string", "description": "Stable word for the fault, UPPER_SNAKE."},
        "code": {"type": "string", "description": "The same as `error`."},
        "message": {"type": "string", "description": "A sentence that a page can show."},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
            },
        },
        "requestId": {"type": "string"},
    },
}


def _name(model: type) -> tuple[str, str]:
    return model.__module__, model.__qualname__


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The OpenAPI document of these endpoints; paths are absolute, under the first of the three base paths."""
    endpoints = list(endpoints)
    inputs = {m for e in endpoints for m in (e.path_model, e.query_model, e.body_model, _form_model(e)) if m}
    outputs = {e.answer_model for e in endpoints if e.answer_model}
    names, definitions = models_json_schema(
        [(m, "validation") for m in sorted(inputs, key=_name)]
        + [(m, "serialization") for m in sorted(outputs, key=_name)],
        ref_template=REF,
    )
    schemas = definitions.get("$defs", {})
    parameter_models = {
        names[m, "validation"]["$ref"].rsplit("/", 1)[1]
        for e in endpoints
        for m in (e.path_model, e.query_model, _form_model(e))
        if m
    }
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for endpoint in endpoints:
        address = endpoint.path if endpoint.at_root else BASE + endpoint.path
        paths[re.sub(r"\{(\w+):[^}]*\}", r"{\1}", address)][endpoint.method.lower()] = _operation(
            endpoint, names, schemas
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bilten API",
            "version": __version__,
            "description": "Also served under `/v1` and `/api`. Every list takes `cursor`; "
            f"creating calls take `{IDEMPOTENCY_KEY}`.",
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {"Error": _ERROR_SCHEMA}
            | {name: schema for name, schema in sorted(schemas.items()) if name not in parameter_models},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": f"The `data.token` that `POST {BASE}/auth/login` answers.",
                }
            },
        },
    }


def _operation(endpoint: Endpoint, names: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": list(endpoint.tags),
        "parameters": list(_parameters(endpoint, names, schemas)),
        "responses": _responses(endpoint, names),
    }
    if endpoint.description:
        operation["description"] = endpoint.description
    if endpoint.auth != "none":
        operation["security"] = [{"bearer": []}] + ([{}] if endpoint.auth == "optional" else [])
    if endpoint.form:
        fields = _resolve(names[endpoint.form.model, "validation"], schemas)
        texts = {name: _without_null(schema) for name, schema in fields.get("properties", {}).items()}
        operation["requestBody"] = openapi_bytes.request_body(endpoint.form, texts, fields.get("required", []))
    if endpoint.body_model:
        operation["requestBody"] = {
            "required": bool(_resolve(names[endpoint.body_model, "validation"], schemas).get("required")),
            "content": {"application/json": {"schema": names[endpoint.body_model, "validation"]}},
        }
    return operation


def _parameters(endpoint: Endpoint, names: Any, schemas: dict[str, Any]) -> Iterable[dict[str, Any]]:
    if endpoint.path_model:
        for name, schema in _properties(endpoint.path_model, names, schemas):
            yield {"name": name, "in": "path", "required": True, "schema": schema}
    if endpoint.query_model:
        required = _resolve(names[endpoint.query_model, "validation"], schemas).get("required", [])
        for name, schema in _properties(endpoint.query_model, names, schemas):
            for spelling in dict.fromkeys((name, to_camel(name))):
                yield {"name": spelling, "in": "query", "required": name in required, "schema": _without_null(schema)}
    if "if_match" in endpoint.inputs:
        yield _tags_parameter("If-Match", "Change it only if it is still the version of this `ETag`.")
    if endpoint.method == "GET" and _has_etag(endpoint):
        yield _tags_parameter("If-None-Match", "Answer 304 when it still is what this `ETag` stands for.")
    if endpoint.media_types:
        yield from openapi_bytes.parameters()
    if endpoint.creates:
        yield {
            "name": IDEMPOTENCY_KEY,
            "in": "header",
            "required": False,
            "description": "Repeat the call with the same key and body and get the stored answer, for 24 hours.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }


def _tags_parameter(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": {"type": "string"}}


def _has_etag(endpoint: Endpoint) -> bool:
    model = endpoint.answer_model
    return model is not None and issubclass(model, Answer) and model.etag is not Answer.etag


def _form_model(endpoint: Endpoint) -> type[BaseModel] | None:
    return endpoint.form.model if endpoint.form else None


def _properties(model: type[BaseModel], names: Any, schemas: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    yield from _resolve(names[model, "validation"], schemas).get("properties", {}).items()


def _resolve(reference: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    resolved: dict[str, Any] = schemas[reference["$ref"].rsplit("/", 1)[1]]
    return resolved


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    # A query parameter is absent, never null.
    branches = [branch for branch in schema.get("anyOf", []) if branch != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf" and (key != "default" or value is not None)}
    if len(branches) == 1:
        return {**rest, **branches[0]}
    return {**rest, **({"anyOf": branches} if branches else {})}


def _responses(endpoint: Endpoint, names: Any) -> dict[str, Any]:
    responses: dict[str, Any] = openapi_bytes.responses(endpoint.media_types)
    if endpoint.answer_model:
        responses[str(endpoint.status)] = {
            "description": "Done" if endpoint.status == HTTPStatus.OK else "Created",
            "content": {"application/json": {"schema": names[endpoint.answer_model, "serialization"]}},
        }
    if _has_etag(endpoint):
        responses[str(endpoint.status)]["headers"] = {"ETag": {"schema": {"type": "string"}}}
        if endpoint.method == "GET":
            responses["304"] = {"description": "`If-None-Match` names the `ETag` this would be answered with"}
    by_status: dict[int, list[ApiError]] = defaultdict(list)
    for error in [*endpoint.errors, *_errors_around(endpoint)]:
        by_status[error.status].append(error)
    for status, errors in sorted(by_status.items()):
        codes = dict.fromkeys(f"`{error.error_code}`: {error.error_message}" for error in errors)
        responses[str(status)] = {
            "description": " · ".join(codes),
            "content": {"application/json": {"schema": {"$ref": REF.format(model="Error")}}},
        }
    return responses


def _errors_around(endpoint: Endpoint) -> Iterable[ApiError]:
    yield from (ValidationFailed(), TooManyRequests(), InternalError(), ServiceUnavailable())
    if endpoint.auth in ("user", "organizer", "admin"):
        yield Unauthorized()
    if endpoint.auth in ("organizer", "admin"):
        yield Forbidden("Organizer access required" if endpoint.auth == "organizer" else "Admin access required")
    if endpoint.path_model and not any(error.status == NotFound.status for error in endpoint.errors):
        yield NotFound()
    yield from (RequestTimeout(), PayloadTooLarge(), UnsupportedMediaType())
    if endpoint.form:
        yield from openapi_bytes.errors_of_forms(endpoint.form)
    if endpoint.media_types:
        yield from (PreconditionFailed("`If-Match` names other versions only"), RangeNotSatisfiable())
    if "if_match" in endpoint.inputs:
        yield PreconditionFailed(f"{PreconditionFailed.message} (Only with `If-Match`, which takes an `ETag`.)")
    if endpoint.creates:
        yield BadRequest(f"{IDEMPOTENCY_KEY} must be 1 to 255 visible ASCII characters")
        yield Conflict("The first call with this key is still running", code="IDEMPOTENCY_IN_PROGRESS")
        yield UnprocessableEntity("This key was used with another body", code="IDEMPOTENCY_KEY_REUSED")
