"""Lists in pages and by cursor: one query model, one pagination object under every name the pages read (contract §1.4).

A cursor is opaque and signed: the sort key's values of the last row, so that the next page continues after it whatever
was inserted meanwhile (keyset pagination). It is bound to the list and its order, and worth nothing elsewhere.
"""

import base64
import hashlib
import hmac
import math
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from bilten.web.errors import ValidationFailed
from bilten.web.spelling import Query

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
#: Pages beyond this are empty for any real list; bounds OFFSET.
MAX_PAGE = 1_000_000
_SIGNATURE_BYTES = 16


def lenient_positive(default: int, maximum: int) -> Any:
    """A positive integer sent as text; anything else means `default`, more means `maximum` (the mock's rule)."""

    def read(value: Any) -> int:
        text = str(value)
        # Eighteen digits: int() of an endless number is work for nothing.
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0  # noqa: PLR2004 see above
        return min(number, maximum) if number > 0 else default

    return Annotated[
        int,
        BeforeValidator(read),
        WithJsonSchema(
            {
                "type": ["integer", "string"],
                "default": default,
                "description": f"A positive integer, at most {maximum}; anything else means {default}.",
            }
        ),
    ]


class PageQuery(Query):
    """What every list takes."""

    page: lenient_positive(1, MAX_PAGE) = 1  # type: ignore[valid-type]
    limit: lenient_positive(DEFAULT_LIMIT, MAX_LIMIT) = DEFAULT_LIMIT  # type: ignore[valid-type]
    cursor: str | None = Field(None, max_length=3000, description="`nextCursor` of the page before; wins over `page`.")

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return 0 if self.cursor else (int(self.page) - 1) * int(self.limit)


class Pagination(BaseModel):
    """The same numbers under every name a page reads."""

    model_config = ConfigDict(frozen=True)

    page: int
    limit: int
    total: int
    pages: int
    totalPages: int  # noqa: N815 the frontends' spelling
    totalItems: int  # noqa: N815 as above
    hasMore: bool  # noqa: N815 as above
    nextCursor: str | None  # noqa: N815 as above


def pagination(query: PageQuery, *, total: int, next_cursor: str | None) -> Pagination:
    """Describe one page. `next_cursor` is None on the last."""
    pages = math.ceil(total / query.limit)
    more = next_cursor is not None if query.cursor else query.page < pages
    return Pagination(
        page=query.page,
        limit=query.limit,
        total=total,
        pages=pages,
        totalPages=pages,
        totalItems=total,
        hasMore=more,
        nextCursor=next_cursor,
    )


class CursorCodec:
    """Signs cursors with a key of the deployment, so that any process reads what another gave out."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.blake2b(secret.encode(), person=b"bilten-cursor").digest()

    def encode(self, scope: str, values: list[Any]) -> str:
        """`values` are JSON values or UUIDs and datetimes, which come back as text."""
        payload = orjson.dumps(values, default=str)
        return base64.urlsafe_b64encode(self._sign(scope, payload) + payload).decode().rstrip("=")

    def decode(self, scope: str, cursor: str) -> list[Any]:
        """The values of a cursor of this `scope`. Raises `ValidationFailed` for any other text."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raw = b""
        signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(scope, payload)):
            raise ValidationFailed(
                details=[
                    {
                        "field": "cursor",
                        "code": "invalid_cursor",
                        "message": "Use the nextCursor of a page of this list in this order, unchanged",
                    }
                ]
            )
        values: list[Any] = orjson.loads(payload)
        return values

    def _sign(self, scope: str, payload: bytes) -> bytes:
        return hashlib.blake2b(scope.encode() + b"\0" + payload, key=self._key, digest_size=_SIGNATURE_BYTES).digest()
