"""Endpoints are typed once: the signature of a handler is its validation, its documentation and its test data.

    @endpoint("PUT", "/events/{event_id}", summary="Change an event", auth="organizer", errors=[NotFound()])
    async def update_event(services: Services, path: EventPath, body: Change, principal: Principal) -> EventAnswer:

A handler may take any of `request`, `services`, `principal`, `path`, `query`, `body`, `upload`, `if_match`, by these
names. The annotations of `path`, `query`, `body` and the return value are pydantic models: `bilten.web.dispatch` fills
and serialises them, `bilten.web.openapi` documents them. `principal` is `Principal`, or `Principal | None` with
`auth="optional"`; `if_match` is the header of that name, for `bilten.web.etags`.

`prepare` is an async context manager around the handler, whose value the handler takes as `prepared`; `afterwards`
gets the handler's answer and gives the one that is sent. Both take inputs by the same names, and both are outside the
transaction that an `Idempotency-Key` makes of a call: what is slow, or waits for other processes, belongs there. A
repetition of a call is prepared too, but neither handled nor waited for.

In place of a body, `upload: Upload[Model]` takes a form with `files` (`bilten.web.forms`); in place of a model, a
handler may answer a `Download` of one of `media_types` (`bilten.web.serve`).
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from bilten.web.errors import ApiError
from bilten.web.forms import FileField, FormSpec, Upload
from bilten.web.serve import Download

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Auth = Literal["none", "optional", "user", "organizer", "admin"]
Tier = Literal["M", "U", "F", "S", "own"]
Handler = Callable[..., Awaitable[BaseModel | Download]]
HandlerT = TypeVar("HandlerT", bound=Handler)
Prepare = Callable[..., AbstractAsyncContextManager[Any]]
Afterwards = Callable[..., Awaitable[BaseModel]]

_INPUTS = {"request", "services", "principal", "path", "query", "body", "upload", "if_match"}
_PREPARED, _ANSWER = "prepared", "answer"


@dataclass(frozen=True)
class Step:
    """A function of an endpoint, and which inputs it takes."""

    function: Callable[..., Any]
    inputs: frozenset[str]

    @classmethod
    def of(cls, function: Callable[..., Any], more: frozenset[str] = frozenset()) -> "Step":
        """Raises `TypeError` when it takes what no endpoint has; `more` is what this one has besides."""
        inputs = frozenset(inspect.signature(function).parameters)
        if unknown := inputs - _INPUTS - more:
            known = sorted(_INPUTS | more)
            raise TypeError(f"{function.__qualname__} takes {sorted(unknown)}; an endpoint may take {known}")
        return cls(function, inputs)

    def __call__(self, arguments: Mapping[str, Any]) -> Any:
        """Call it with what it takes of these."""
        return self.function(**{name: arguments[name] for name in self.inputs})


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One operation: what it takes, what it answers, who may call it."""

    method: Method
    path: str
    handler: Handler
    handle: Step
    prepare: Step | None
    afterwards: Step | None
    summary: str
    auth: Auth
    tier: Tier
    status: int
    errors: tuple[ApiError, ...]
    tags: tuple[str, ...]
    creates: bool
    at_root: bool
    inputs: frozenset[str]
    path_model: type[BaseModel] | None
    query_model: type[BaseModel] | None
    body_model: type[BaseModel] | None
    form: FormSpec | None
    #: None where it answers a `Download`.
    answer_model: type[BaseModel] | None
    media_types: tuple[str, ...]
    description: str = ""

    @property
    def name(self) -> str:
        """Unique among endpoints; the OpenAPI operation id."""
        return self.handler.__name__


def endpoint(
    method: Method,
    path: str,
    *,
    summary: str,
    auth: Auth = "none",
    tier: Tier = "own",
    status: int = 200,
    errors: Sequence[ApiError] = (),
    creates: bool = False,
    at_root: bool = False,
    files: Sequence[FileField] = (),
    media_types: Sequence[str] = (),
    prepare: Prepare | None = None,
    afterwards: Afterwards | None = None,
) -> Callable[[HandlerT], HandlerT]:
    """Describe a handler. `creates` makes it honour `Idempotency-Key`; `at_root` serves it outside the base paths.

    `errors` are the refusals of the handler itself; those of the layers around it (400 to 415, 429, 500, 503) are
    known from its inputs. Raises `TypeError` at import when the signature cannot be served.
    """

    def describe(handler: HandlerT) -> HandlerT:
        hints = {name: hint for step in (afterwards, prepare, handler) if step for name, hint in _hints(step).items()}
        handle = Step.of(handler, frozenset({_PREPARED}) if prepare else frozenset())
        before = Step.of(prepare) if prepare else None
        after = Step.of(afterwards, frozenset({_ANSWER})) if afterwards else None
        inputs = frozenset().union(*(step.inputs for step in (handle, before, after) if step)) & _INPUTS
        answer = hints.get("return")
        if not (isinstance(answer, type) and issubclass(answer, BaseModel | Download)):
            raise TypeError(f"{handler.__qualname__} must say which model it answers, or that it is a Download")
        if issubclass(answer, Download) != bool(media_types) or (media_types and method != "GET"):
            raise TypeError(
                f"{handler.__qualname__} must be a GET with `media_types` if it answers a Download, else not"
            )
        if "principal" in inputs and auth == "none":
            raise TypeError(f"{handler.__qualname__} asks for a principal but its auth is none")
        described = Endpoint(
            method=method,
            path=path,
            handler=handler,
            handle=handle,
            prepare=before,
            afterwards=after,
            summary=summary,
            description=inspect.cleandoc(handler.__doc__ or ""),
            auth=auth,
            tier=tier,
            status=status,
            errors=tuple(errors),
            tags=(_tag(handler.__module__.split(".")[1]),),
            creates=creates,
            at_root=at_root,
            inputs=inputs,
            path_model=hints.get("path"),
            query_model=hints.get("query"),
            body_model=hints.get("body"),
            form=_form(handler, hints.get("upload"), files),
            answer_model=answer if issubclass(answer, BaseModel) else None,
            media_types=tuple(media_types),
        )
        setattr(handler, _MARK, described)
        return handler

    return describe


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return get_type_hints(function)


def _form(handler: Handler, hint: Any, files: Sequence[FileField]) -> FormSpec | None:
    if hint is None and not files:
        return None
    if get_origin(hint) is not Upload or not files or "body" in inspect.signature(handler).parameters:
        raise TypeError(
            f"{handler.__qualname__} must take `upload: Upload[Model]` and no body, and declare its `files`"
        )
    return FormSpec(get_args(hint)[0], tuple(files))


_MARK = "__bilten_endpoint__"


def _tag(package: str) -> str:
    # Health and index are the service's own, not a domain's.
    return "service" if package == "web" else package


def endpoints_of(*modules: object) -> list[Endpoint]:
    """The endpoints that the given modules define, in the order of their definition."""
    return [
        getattr(member, _MARK)
        for module in modules
        for member in vars(module).values()
        if hasattr(member, _MARK) and member.__module__ == getattr(module, "__name__", None)
    ]
