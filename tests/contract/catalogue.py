"""What the frontends call, as `endpoints.json` lists it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("endpoints.json")

#: Served so far, beside all of tiers M and U: what the mocked calls' pages need beside them.
_BESIDE = {
    "F GET /articles/categories",
    "F GET /articles/search",
    "F POST /articles",
    "F PUT /articles/:id",
    "F DELETE /articles/:id",
    "F PUT /events/:id",
    "F DELETE /events/:id",
    "F PUT /users/profile",
    "F GET /users/profile",
    "F GET /health",
    "F POST /api/auth/login",
    "F POST /api/auth/register",
    "F GET /api/auth/me",
    "F GET /api/events",
    "F GET /api/events/search/autocomplete",
    "F GET /api/events/search/filters",
    "F GET /api/events/search/trending",
    "F GET /api/events/:id",
    "F GET /events/:id",
    "S GET /events",
    "S GET /health",
}


@dataclass(frozen=True)
class Refusal:
    """One error a call lists."""

    status: int
    error: str
    message: str
    when: str


@dataclass(frozen=True)
class Call:
    """One entry of the contract."""

    tier: str
    method: str
    path: str
    note: str
    auth: str
    status: int
    query: Mapping[str, str]
    request: Mapping[str, str]
    fields: Mapping[str, str]
    refusals: tuple[Refusal, ...]
    callers: tuple[str, ...]
    reach: str

    @property
    def key(self) -> str:
        """How tests and scenarios name it."""
        return f"{self.tier} {self.method} {self.path}"

    @property
    def served(self) -> bool:
        """Whether the API has it already."""
        return self.tier in ("M", "U") or self.key in _BESIDE

    @property
    def answers_bytes(self) -> bool:
        """Whether it answers a file, and not JSON."""
        return "(body)" in self.fields

    @property
    def at_root(self) -> bool:
        """Whether it lives outside the base paths."""
        return self.note == "server root" or self.path == "/health"

    @property
    def under_base(self) -> str:
        """Its path below any of the base paths; the entries of the newest frontend are written with theirs."""
        return re.sub(r"^/api(/v1)?(?=/)", "", self.path)

    def matches(self, path: str) -> bool:
        """Whether a path below the base is one of this call's."""
        template = re.sub(r"\\\{.+\\\}|\\?:\w+", "[^/]+", re.escape(self.under_base))
        return re.fullmatch(template, path) is not None


def _read(entry: Mapping[str, Any]) -> Call:
    return Call(
        tier=entry["tier"],
        method=entry["method"],
        path=entry["path"],
        note=entry.get("path_note", ""),
        auth=entry["auth"],
        status=entry["success_status"],
        query=entry["query"],
        request=entry["request"],
        fields=entry["response_fields"] | entry["extra_fields"],
        refusals=tuple(Refusal(e["status"], e["error"], e["message"], e["when"]) for e in entry["errors"]),
        callers=tuple(entry["callers"]),
        reach=entry["reach"],
    )


CALLS = tuple(_read(entry) for entry in json.loads(SOURCE.read_text()))
SERVED = {call.key: call for call in CALLS if call.served and not call.answers_bytes}
LATER = tuple(call for call in CALLS if not call.served)
