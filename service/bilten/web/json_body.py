"""JSON as strangers send it: what most parsers let through and databases choke on is refused here.

RFC 8259 leaves NaN, duplicate keys, huge numbers and lone surrogates to the implementation; each has broken a backend
(two readers of one body disagreeing, `inf` in a numeric column, text Postgres cannot store), so each is an error.
"""

import json
import re
from typing import Any, NoReturn

#: Deepest nesting of arrays and objects; far beyond any form, far below the interpreter's recursion limit.
MAX_DEPTH = 64
#: Most values in one body; a form has dozens, and each costs a microsecond or more of everybody's event loop.
MAX_VALUES = 10_000
#: A string, or what begins as one and never ends: it matches at every quote, so taking strings out is one pass.
_STRING = re.compile(rb'"(?:[^"\\]+|\\(?:.|\Z))*+(?:"|\Z)', re.DOTALL)
#: The longest whole number of a double: 1.8e308 has 309 digits.
_MAX_INTEGER_DIGITS = 309


class InvalidJSON(ValueError):
    """The text is not JSON we take; the message is a sentence for the sender."""


def integral(value: Any) -> Any:
    """A whole number as an int: 120.0 is an integer to JSON Schema, and to the parsers of some languages."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def check(text: bytes) -> Any:
    """Decode `text` strictly and return the value. Raises `InvalidJSON`."""
    _check_size(text)
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_double_sized_integer,
        )
    except UnicodeDecodeError:
        raise InvalidJSON("The body is not valid UTF-8") from None
    except RecursionError:
        raise InvalidJSON(f"The body is nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        raise InvalidJSON(
            f"The body is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    _check_tree(value)
    return value


def _check_size(text: bytes) -> None:
    # Before parsing: a megabyte of `[],` would hold the event loop for seconds.
    if _signs(text) > MAX_VALUES and _signs(_STRING.sub(b"", text)) > MAX_VALUES:
        raise InvalidJSON(f"The body holds more than {MAX_VALUES} values")


def _signs(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidJSON("The body names a key twice in one object")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJSON(f"{name} is not JSON")


def _finite_float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise InvalidJSON("A number is larger than a double can hold")
    return number


def _double_sized_integer(text: str) -> int:
    if len(text) > _MAX_INTEGER_DIGITS:
        raise InvalidJSON("A number is larger than a double can hold")
    number = int(text)
    try:
        float(number)
    except OverflowError:
        raise InvalidJSON("A number is larger than a double can hold") from None
    return number


def _check_tree(root: Any) -> None:
    # A loop, not recursion: depth is what is being bounded.
    stack: list[tuple[Any, int]] = [(root, 1)]
    while stack:
        value, depth = stack.pop()
        if isinstance(value, str):
            check_text(value)
            continue
        if not isinstance(value, dict | list):
            continue
        if depth > MAX_DEPTH:
            raise InvalidJSON(f"The body is nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, dict):
            stack.extend((key, depth) for key in value)
            stack.extend((member, depth + 1) for member in value.values())
        else:
            stack.extend((member, depth + 1) for member in value)


def check_text(text: str) -> None:
    """Refuse what Postgres cannot store as text. Raises `InvalidJSON`."""
    if "\0" in text:
        raise InvalidJSON("A text contains the character NUL")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidJSON("A text contains half of a surrogate pair") from None
