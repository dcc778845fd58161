"""The error tree that *is* the HTTP answer.

Every non-2xx of every layer has one body: `{success: false, error, message, code, details, requestId}`, where `error`
and `code` are the same stable word and `message` is a sentence a page can show (frontend contract §1.5).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypedDict


class Detail(TypedDict):
    """One wrong field: where it is (dotted), a stable word, and what to do about it."""

    field: str
    code: str
    message: str


class ApiError(Exception):
    """An answer other than 2xx. Subclasses fix status, code and the default sentence."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"
    message: ClassVar[str] = "Something went wrong on our side. Try again; if it stays, give us the request id."

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.error_message = message or self.message
        self.error_code = code or self.code
        self.details = list(details)
        self.headers = dict(headers or {})
        super().__init__(self.error_message)

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON body of this answer."""
        return {
            "success": False,
            "error": self.error_code,
            "code": self.error_code,
            "message": self.error_message,
            "details": self.details,
            "requestId": request_id,
        }


class ValidationFailed(ApiError):
    """400: body, query or path does not fit; `details` names every wrong field."""

    status = 400
    code = "VALIDATION_ERROR"
    message = "Invalid input data"


class BadRequest(ApiError):
    """400 of the HTTP layer itself: what came is not a request we can read."""

    status = 400
    code = "BAD_REQUEST"
    message = "The request could not be read. Check its first line, headers and encoding."


class Unauthorized(ApiError):
    """401: no token, or one that does not count (void, expired, revoked)."""

    status = 401
    code = "UNAUTHORIZED"
    message = "Authentication required"

    def __init__(self, message: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message, code=code, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(ApiError):
    """403: signed in, but the role or the ownership is missing."""

    status = 403
    code = "FORBIDDEN"
    message = "You may not do this"


class NotFound(ApiError):
    """404: no such thing, or none that the caller may know of."""

    status = 404
    code = "NOT_FOUND"
    message = "Not found"


class MethodNotAllowed(ApiError):
    """405, with `Allow`."""

    status = 405
    code = "METHOD_NOT_ALLOWED"
    message = "This address does not take that method"


class RequestTimeout(ApiError):
    """408: the body did not arrive in time."""

    status = 408
    code = "REQUEST_TIMEOUT"
    message = "The body did not arrive in time"


class Conflict(ApiError):
    """409: what exists stands against it."""

    status = 409
    code = "CONFLICT"
    message = "This conflicts with what is already there"


class PreconditionFailed(ApiError):
    """412: `If-Match` names a version that is not there any more."""

    status = 412
    code = "PRECONDITION_FAILED"
    message = "It was changed in the meantime. Read it again and repeat your change."


class PayloadTooLarge(ApiError):
    """413: the body is larger than the limit the message names."""

    status = 413
    code = "PAYLOAD_TOO_LARGE"
    message = "The body is too large"


class UnsupportedMediaType(ApiError):
    """415: the body is not what this address reads."""

    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"
    message = "Send the body as application/json, without Content-Encoding"


class RangeNotSatisfiable(ApiError):
    """416: the range begins behind the end of the file; `Content-Range` says how long it is."""

    status = 416
    code = "RANGE_NOT_SATISFIABLE"
    message = "The range begins behind the end of the file"


class ExpectationFailed(ApiError):
    """417: an `Expect` header other than 100-continue."""

    status = 417
    code = "EXPECTATION_FAILED"
    message = "Only `Expect: 100-continue` is understood"


class UnprocessableEntity(ApiError):
    """422: well formed, but a business rule stands against it."""

    status = 422
    code = "UNPROCESSABLE_ENTITY"
    message = "A rule stands against this"


class TooManyRequests(ApiError):
    """429, with `Retry-After` in seconds."""

    status = 429
    code = "RATE_LIMITED"
    message = "Too many requests. Wait a moment and try again."


class InternalError(ApiError):
    """500: a bug of ours; the log has the trace under the request id, the answer has none of it."""


class ServiceUnavailable(ApiError):
    """503, with `Retry-After`: something we need does not answer.

    Nothing was changed, unless the connection was lost during the commit; `Idempotency-Key` settles that.
    """

    status = 503
    code = "SERVICE_UNAVAILABLE"
    message = "The service is not available right now. Try again in a moment."

    def __init__(self, message: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message, code=code, headers={"Retry-After": "1"})


#: What stands for a bare status that a library raised (aiohttp's router and parser do).
BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    408: RequestTimeout,
    409: Conflict,
    412: PreconditionFailed,
    413: PayloadTooLarge,
    415: UnsupportedMediaType,
    416: RangeNotSatisfiable,
    417: ExpectationFailed,
    422: UnprocessableEntity,
    429: TooManyRequests,
    500: InternalError,
    503: ServiceUnavailable,
}
