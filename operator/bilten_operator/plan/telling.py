"""What is told: conditions, `waitingFor`, the phase in one word, and Events when something turns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bilten_operator.api.conditions import ConditionType
from bilten_operator.plan.judge import Verdict
from bilten_operator.plan.model import Event

#: As long as the CRD allows.
_LONGEST_MESSAGE = 2048
#: Conditions of which a turn to False is news, not just the course of things.
_BAD = {
    "ArchivingFails", "BackupTooOld", "BucketsFailed", "DeadlineExceeded", "InvalidSpec", "MigrationFailed",
    "MigrationTimedOut", "NoBackup", "SecretLost",
}  # fmt: skip

Truth = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Told:
    """A condition before it has its times."""

    type: ConditionType
    status: Truth
    reason: str
    message: str


def of(kind: ConditionType, verdict: Verdict) -> Told:
    """A step's verdict as its condition."""
    holds = verdict.ready if verdict.holds is None else verdict.holds
    return Told(kind, "True" if holds else "False", verdict.reason, verdict.message)


def time(moment: datetime) -> str:
    """As Kubernetes writes times: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cut(message: str) -> str:
    """No longer than the API server takes it."""
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[: _LONGEST_MESSAGE - 1]}…"


def before(status: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The conditions that were told last, by type."""
    return {found["type"]: found for found in status.get("conditions") or []}


def conditions(
    told: Iterable[Told], previous: Mapping[str, Any], generation: int, now: datetime
) -> list[dict[str, Any]]:
    """With times: that of the last turn stays unless the status turns now."""
    last = before(previous)
    made = []
    for one in told:
        same = last.get(one.type, {}).get("status") == one.status
        made.append(
            {
                "type": str(one.type),
                "status": one.status,
                "observedGeneration": generation,
                "lastTransitionTime": last[one.type]["lastTransitionTime"] if same else time(now),
                "reason": one.reason,
                "message": cut(one.message),
            }
        )
    return made


def waiting_for(verdict: Verdict | None, previous: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
    """The object that blocks, and since when it is this one."""
    if verdict is None or verdict.blocker is None:
        return None
    last = previous.get("waitingFor") or {}
    blocker = verdict.blocker
    same = (last.get("kind"), last.get("name")) == (blocker.kind, blocker.name)
    return {
        "kind": blocker.kind,
        "name": blocker.name,
        "message": cut(verdict.message),
        "since": last["since"] if same else time(now),
    }


def events(told: Iterable[Told], previous: Mapping[str, Any]) -> list[Event]:
    """One for each condition that turned, and for each that is False for a new reason that somebody must look at."""
    last = before(previous)
    made = []
    for one in told:
        was = last.get(one.type, {})
        turned = was.get("status") != one.status
        bad = one.status == "False" and one.reason in _BAD
        if one.type == ConditionType.PROGRESSING:
            new_drift = one.reason == "DriftReported" and was.get("message") != one.message
            if new_drift or (one.reason == "DeadlineExceeded" and was.get("reason") != one.reason):
                made.append(Event("Warning", one.reason, cut(one.message)))
        elif one.type == ConditionType.PAUSED:
            if turned and (was or one.status == "True"):
                made.append(Event("Normal", "Paused" if one.status == "True" else "Resumed", cut(one.message)))
        elif bad and (turned or was.get("reason") != one.reason):
            # What a step says, Ready says again.
            if one.type != ConditionType.READY or one.reason == "InvalidSpec":
                made.append(Event("Warning", one.reason, cut(one.message)))
        elif turned and one.status == "True":
            made.append(Event("Normal", f"{one.type}", cut(one.message)))
        elif turned and was.get("status") == "True":
            made.append(Event("Warning" if bad else "Normal", f"Not{one.type}", cut(f"{one.reason}: {one.message}")))
    return made
