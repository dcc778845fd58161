"""What the API server says that was asked of it, by whom and when: its audit log.

So calls are counted, and times are taken, where they arrive: by one clock, and by nobody who is measured.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

#: Other users than these are not logged: what they do is not the operator's.
POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    users: ["{operator}"]
  - level: Metadata
    verbs: [patch]
    resources: [{{group: bilten.io, resources: [bilteninstances]}}]
  - level: None
"""

WRITES = {"create", "patch", "update", "delete"}


@dataclass(frozen=True)
class Call:
    """One request."""

    #: When it arrived, in seconds since 1970.
    at: float
    user: str
    verb: str
    #: `deployments`, `bilteninstances/status`; empty where it is not about objects.
    what: str
    namespace: str
    status: int

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.verb in WRITES


class Audit:
    """Reads the log as it grows."""

    def __init__(self, log: Path, operator: str) -> None:
        self._log = log
        self._operator = operator
        self._offset = 0
        self._seen: set[str] = set()
        self._calls: list[Call] = []

    def operator(self, since: float, until: float = float("inf")) -> list[Call]:
        """What the operator asked for in that time, in the order of its arrival."""
        return [call for call in self._read() if call.user == self._operator and since <= call.at < until]

    def edits(self, since: float) -> list[Call]:
        """The edits of instances by others."""
        return [call for call in self._read() if call.user != self._operator and since <= call.at]

    def _read(self) -> list[Call]:
        with self._log.open("rb") as log:
            log.seek(self._offset)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._calls += self._new(json.loads(line))
        self._calls.sort(key=lambda call: call.at)
        return self._calls

    def _new(self, told: dict[str, Any]) -> Iterator[Call]:
        # A watch is told of when it begins and when it ends.
        if told["auditID"] in self._seen:
            return
        self._seen.add(told["auditID"])
        ref = told.get("objectRef") or {}
        yield Call(
            at=datetime.fromisoformat(told["requestReceivedTimestamp"]).timestamp(),
            user=told["user"]["username"],
            verb=told["verb"],
            what="/".join(filter(None, (ref.get("resource", ""), ref.get("subresource", "")))),
            namespace=ref.get("namespace", ""),
            status=(told.get("responseStatus") or {}).get("code", 0),
        )
