"""The contract's shorthand for small objects: `{text, type: event | category, count?}`, `{queries[{query, took}]}`."""

import re
from collections.abc import Callable, Iterator
from typing import Any

_MEMBER = re.compile(r"(?P<name>\w+)(?P<optional>\?)?(?:\[(?P<items>\{.*\})\]|: (?P<choices>\w+(?: \| \w+)*))?")


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return type(value) in (int, float)


def _or_null(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


#: What the members are: the shorthand names them without a type.
_KINDS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(["category", "date", "description", "email", "label", "location", "name", "range"], _text),
    **dict.fromkeys(["role", "text", "title"], _text),
    **dict.fromkeys(["city", "country", "profileImage", "query"], _or_null(_text)),
    **dict.fromkeys(["price", "took"], _number),
    **dict.fromkeys(["min", "max"], _or_null(_number)),
    "count": lambda value: type(value) is int,
    "id": lambda value: type(value) in (int, str),
}


def problems(shorthand: str, value: Any) -> list[str]:
    """What is wrong with an object. Raises KeyError for a member nobody has said the kind of."""
    if not isinstance(value, dict):
        return [f"is {value!r}, not an object"]
    found: list[str] = []
    for text in _members(shorthand):
        member = _MEMBER.fullmatch(text)
        if member is None:
            raise ValueError(f"{text!r} is no member of an object")
        name = member["name"]
        if name not in value:
            found += [] if member["optional"] else [f"lacks {name}"]
        elif member["items"]:
            found += [f"{name}: {problem}" for item in value[name] for problem in problems(member["items"], item)]
        elif member["choices"]:
            found += [] if value[name] in member["choices"].split(" | ") else [f"{name} is {value[name]!r}"]
        elif not _KINDS[name](value[name]):
            found.append(f"{name} is {value[name]!r}")
    return found


def _members(shorthand: str) -> Iterator[str]:
    """The members between the braces; a comma inside a nested object separates nothing here."""
    depth, start, inner = 0, 0, shorthand[1:-1]
    for position, character in enumerate(inner):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            yield inner[start:position]
            start = position + 2
    yield inner[start:]
