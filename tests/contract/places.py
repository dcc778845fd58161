"""Where a path of the contract leads in an answer: `data.events[].id, title`, `ticketTypes[0].price`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MISSING: Any = type("Missing", (), {"__repr__": lambda _: "nothing"})()

_STEP = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<index>\d*)\])?")


@dataclass(frozen=True)
class Place:
    """One spot in an answer: what is there, and the object around it."""

    where: str
    name: str
    value: Any
    parent: Any


def spelled_out(text: str) -> list[str]:
    """The paths of a joint name; all share the beginning of the first."""
    first, *others = text.split(", ")
    beginning = first[: first.rfind(".") + 1]
    return [first, *(beginning + other for other in others)]


def alternatives(text: str) -> list[str]:
    """The addresses of which one will do."""
    return text.split(" | ")


def find(path: str, body: Any) -> list[Place]:
    """Every place the path leads to: none for an empty list, one with MISSING where it breaks off."""
    return list(_follow(path.split("."), Place("", "", body, None)))


def _follow(steps: list[str], at: Place) -> Iterator[Place]:
    if not steps:
        yield at
        return
    step = _STEP.fullmatch(steps[0])
    if step is None:
        raise ValueError(f"{steps[0]!r} is no step of a path")
    name, index = step["name"], step["index"]
    value = at.value.get(name, MISSING) if isinstance(at.value, dict) else MISSING
    where = f"{at.where}.{name}".lstrip(".")
    if index is None or value is MISSING:
        here = [Place(where, name, value, at.value)]
    elif not isinstance(value, list):
        here = [Place(f"{where}[]", name, MISSING, at.value)]
    else:
        chosen = range(len(value)) if index == "" else [int(index)]
        here = [Place(f"{where}[{i}]", name, value[i] if i < len(value) else MISSING, value) for i in chosen]
    for place in here:
        if place.value is MISSING:
            yield place
        else:
            yield from _follow(steps[1:], place)
