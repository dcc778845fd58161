"""What the status says when the API server refused a write: the plan could not know."""

from datetime import datetime
from typing import Any

from bilten_operator.plan import telling
from bilten_operator.plan.model import Ref

Object = dict[str, Any]

REASON = "WriteRefused"


def blocked(status: Object, previous: Object, ref: Ref, message: str, now: datetime) -> Object:
    """`status`, waiting for the object that was refused, and not Ready.

    Times are those of `previous` where it said the same already, so that one refusal after the other is one status.
    """
    at = telling.time(now)
    told = previous.get("waitingFor") or {}
    same = (told.get("kind"), told.get("name")) == (ref.kind, ref.name)
    waiting = {
        "kind": ref.kind,
        "name": ref.name,
        "message": telling.cut(message),
        "since": told["since"] if same else at,
    }
    before = {condition["type"]: condition for condition in previous.get("conditions", [])}
    conditions = [
        _not_ready(condition, before.get("Ready"), telling.cut(f"{ref.kind} {ref.name}: {message}"), at)
        if condition["type"] == "Ready"
        else condition
        for condition in status.get("conditions", [])
    ]
    return {**status, "waitingFor": waiting, "conditions": conditions}


def _not_ready(condition: Object, before: Object | None, message: str, at: str) -> Object:
    since = before["lastTransitionTime"] if before and before["status"] == "False" else at
    return {**condition, "status": "False", "reason": REASON, "message": message, "lastTransitionTime": since}
