"""From a request to a typed call and back: the order of refusals of decisions.md, in one place.

Before this runs: preflight, 429, 404, 405 (`bilten.web.cors`, `rate_limit`, the router). Here: 401 → role 403 → size
413 → content type 415 → body, query and path 400/404 → the handler. A guarded route never reads a body before it knows
who asks, and a form is read only when the query and the path are right.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from http import HTTPStatus
from typing import Any

from aiohttp import HttpVersion11, hdrs, web
from pydantic import BaseModel, ValidationError

from bilten.context import Principal
from bilten.web import etags, json_body, multipart, query_string
from bilten.web.answers import Answer
from bilten.web.endpoint import Auth, Endpoint, Tier
from bilten.web.errors import (
    BadRequest,
    Detail,
    Forbidden,
    NotFound,
    PayloadTooLarge,
    RequestTimeout,
    Unauthorized,
    UnsupportedMediaType,
    ValidationFailed,
)
from bilten.web.form_reader import Arrived
from bilten.web.forms import FormSpec, Upload
from bilten.web.keys import IDEMPOTENCY, SERVICES, SETTINGS, SPOOL, TOKENS, StoredAnswer
from bilten.web.serve import Download, respond

BEARER = "bearer "
IDEMPOTENCY_KEY = "Idempotency-Key"
LONGEST_KEY = 255
#: Says that an answer is that of an earlier call.
REPLAYED = "Idempotent-Replayed"
#: A JSON body that has not arrived whole by then is given up, in seconds.
BODY_TIMEOUT_S = 30
#: Set on a request once a limit was counted: the `RateLimit-*` headers its answer carries.
RATE_HEADERS = web.RequestKey("rate_headers", dict[str, str])
ENDPOINT = web.RequestKey("endpoint", Endpoint)

#: What a tier says in other words than the rest (contract §2.2).
_WITHOUT_TOKEN: dict[Tier, str] = {"U": "Access token required"}

_ROLES: dict[Auth, tuple[tuple[str, ...], str]] = {
    "organizer": (("organizer", "admin"), "Organizer access required"),
    "admin": (("admin",), "Admin access required"),
}


def bearer_token(request: web.BaseRequest) -> str | None:
    """The token of the `Authorization` header; None when there is none to speak of."""
    header = request.headers.get(hdrs.AUTHORIZATION, "")
    return header[len(BEARER) :].strip() or None if header[: len(BEARER)].lower() == BEARER else None


def serve(endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of an endpoint."""

    async def handle(request: web.Request) -> web.StreamResponse:
        request[ENDPOINT] = endpoint
        principal = await _principal(request, endpoint)
        if endpoint.form is None:
            raw = await _read_body(request, endpoint)
            return await _answer(request, endpoint, principal, raw, _arguments(request, endpoint, principal, raw))
        settings = request.app[SETTINGS]
        boundary = multipart.check(request, endpoint.form, settings)
        arguments = _arguments(request, endpoint, principal, b"")
        await _ask_for_body(request)
        user_id = principal.user_id if principal else None
        reading = multipart.receive(
            request, endpoint.form, boundary, spool=request.app[SPOOL], settings=settings, user_id=user_id
        )
        async with reading as (form, room):
            upload = _upload(endpoint.form, form, room.release)
            return await _answer(request, endpoint, principal, upload.fingerprint(), {**arguments, "upload": upload})

    return handle


async def _answer(
    request: web.Request, endpoint: Endpoint, principal: Principal | None, raw: bytes, arguments: dict[str, Any]
) -> web.StreamResponse:
    use_key = _key(request, endpoint, principal, raw)
    if use_key and endpoint.prepare:
        async with use_key() as use:
            replay = use.replay
        if replay is not None:
            return await _again(request, endpoint, arguments, replay)
    replay = None
    async with endpoint.prepare(arguments) if endpoint.prepare else nullcontext() as prepared:
        given = {**arguments, "prepared": prepared}
        if use_key is None:
            answer = await endpoint.handle(given)
        else:
            async with use_key() as use:
                # Once more: another call with this key may have ended meanwhile.
                replay = use.replay
                if replay is None:
                    answer = await endpoint.handle(given)
                    await use.keep(_rendered(request, endpoint, answer))
    if replay is not None:
        return await _again(request, endpoint, arguments, replay)
    if endpoint.afterwards:
        answer = await endpoint.afterwards({**arguments, "answer": answer})
    return await _response(request, endpoint, answer)


async def _principal(request: web.Request, endpoint: Endpoint) -> Principal | None:
    if endpoint.auth == "none":
        return None
    token = bearer_token(request)
    principal = await request.app[TOKENS].principal(token) if token else None
    if principal is None:
        if endpoint.auth == "optional":
            return None
        raise Unauthorized(_WITHOUT_TOKEN.get(endpoint.tier))
    roles, sentence = _ROLES.get(endpoint.auth, ((), ""))
    if roles and principal.role not in roles:
        raise Forbidden(sentence)
    return principal


async def _read_body(request: web.Request, endpoint: Endpoint) -> bytes:
    limit = request.app[SETTINGS].max_json_bytes
    too_large = PayloadTooLarge(f"The body is larger than {limit} bytes")
    if request.content_length is not None and request.content_length > limit:
        raise too_large
    if hdrs.CONTENT_ENCODING in request.headers:
        raise UnsupportedMediaType("Send the body without Content-Encoding")
    if endpoint.body_model is not None and request.body_exists and request.content_type != "application/json":
        raise UnsupportedMediaType("Send the body as application/json")
    await _ask_for_body(request)
    chunks, size = [], 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.content.iter_any():
                size += len(chunk)
                if size > limit:
                    raise too_large
                chunks.append(chunk)
    except TimeoutError:
        raise RequestTimeout from None
    return b"".join(chunks)


async def _ask_for_body(request: web.Request) -> None:
    if hdrs.EXPECT in request.headers and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # As aiohttp's own handler of `Expect` does: this was no part of the answer.
        request.writer.output_size = 0


def _upload(spec: FormSpec, form: Arrived, release: Callable[[], Awaitable[None]]) -> Upload[Any]:
    details: list[Detail] = []
    texts = {name: values if spec.takes_many(name) else values[-1] for name, values in form.texts.items()}
    model = _collect(details, lambda m: m.model_validate(texts), spec.model)
    if model is None:
        raise ValidationFailed(details=details)
    return Upload(form=model, files=form.files, release=release)


def _arguments(request: web.Request, endpoint: Endpoint, principal: Principal | None, raw: bytes) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    details: list[Detail] = []
    query = query_string.parse(request)
    if endpoint.path_model:
        arguments["path"] = _path(endpoint.path_model, request.match_info)
    if endpoint.query_model:
        arguments["query"] = _collect(details, lambda model: model.model_validate(query), endpoint.query_model)
    if endpoint.body_model:
        arguments["body"] = _body(details, endpoint.body_model, raw)
    if details:
        raise ValidationFailed(details=details)
    if "principal" in endpoint.inputs:
        arguments["principal"] = principal
    if "services" in endpoint.inputs:
        arguments["services"] = request.app[SERVICES]
    if "request" in endpoint.inputs:
        arguments["request"] = request
    if "if_match" in endpoint.inputs:
        arguments["if_match"] = request.headers.get(hdrs.IF_MATCH)
    return arguments


def _path(model: type[BaseModel], variables: Mapping[str, str]) -> BaseModel:
    if any("\0" in value for value in variables.values()):
        raise NotFound  # Postgres stores no such text, and refuses to look for it
    try:
        return model.model_validate(dict(variables))
    except ValidationError:
        raise NotFound from None


def _body(details: list[Detail], model: type[BaseModel], raw: bytes) -> BaseModel | None:
    try:
        value = json_body.check(raw) if raw else {}
    except json_body.InvalidJSON as error:
        raise ValidationFailed(details=[{"field": "body", "code": "invalid_json", "message": str(error)}]) from None
    if not isinstance(value, dict):
        raise ValidationFailed(
            details=[{"field": "body", "code": "object_expected", "message": "The body must be a JSON object"}]
        )
    # Validated from the text, not from `value`: strict mode takes a date or a UUID as text only in JSON.
    return _collect(details, lambda m: m.model_validate_json(raw or b"{}"), model)


def _collect(
    details: list[Detail], validate: Callable[[type[BaseModel]], BaseModel], model: type[BaseModel]
) -> BaseModel | None:
    try:
        return validate(model)
    except ValidationError as error:
        details.extend(details_of(error))
        return None


def details_of(error: ValidationError) -> list[Detail]:
    """One detail per wrong field; pydantic's word for the fault is its code. Values are never repeated."""
    return [
        {
            "field": ".".join(str(part) for part in item["loc"]) or "body",
            "code": item["type"],
            "message": item["msg"].removeprefix("Value error, "),
        }
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]


async def _again(
    request: web.Request, endpoint: Endpoint, arguments: dict[str, Any], replay: web.Response
) -> web.StreamResponse:
    """The answer that is stored; where something is done with answers before they are sent, it is done again."""
    if endpoint.afterwards is None:
        return replay
    assert endpoint.answer_model is not None  # noqa: S101 what creates answers a model
    assert isinstance(replay.body, bytes)  # noqa: S101 as it was stored
    answer = endpoint.answer_model.model_validate_json(replay.body)
    response = await _response(request, endpoint, await endpoint.afterwards({**arguments, "answer": answer}))
    response.headers[REPLAYED] = "true"
    return response


def _key(
    request: web.Request, endpoint: Endpoint, principal: Principal | None, raw: bytes
) -> Callable[[], AbstractAsyncContextManager[StoredAnswer]] | None:
    """How the call uses its `Idempotency-Key`; None where it has none, or does not create."""
    key = request.headers.get(IDEMPOTENCY_KEY) if endpoint.creates else None
    if key is None:
        return None
    if not (1 <= len(key) <= LONGEST_KEY and all("!" <= character <= "~" for character in key)):
        raise BadRequest(f"{IDEMPOTENCY_KEY} must be 1 to {LONGEST_KEY} visible ASCII characters")
    holder = str(principal.user_id) if principal else "anonymous"
    route = f"{endpoint.method} {endpoint.path} {_variables(request)}".rstrip()
    return partial(request.app[IDEMPOTENCY], holder, route, key, raw)


def _variables(request: web.Request) -> str:
    text = "&".join(f"{name}={value}" for name, value in sorted(request.match_info.items()))
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


async def _response(request: web.Request, endpoint: Endpoint, answer: BaseModel | Download) -> web.StreamResponse:
    if isinstance(answer, Download):
        return await respond(request, answer)
    return _rendered(request, endpoint, answer)


def _rendered(request: web.Request, endpoint: Endpoint, answer: BaseModel) -> web.Response:
    headers: dict[str, str] = {}
    if isinstance(answer, Answer) and (tag := answer.etag()):
        headers = etags.headers(tag) if answer.may_be_kept else {hdrs.ETAG: tag}
        if endpoint.method == "GET" and etags.is_known(request.headers.get(hdrs.IF_NONE_MATCH), tag):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    body = answer.__pydantic_serializer__.to_json(answer, exclude_none=False)
    return web.Response(body=body, status=endpoint.status, headers=headers, content_type="application/json")
