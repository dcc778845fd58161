"""What the benchmarks make of what they saw."""

import json
from pathlib import Path
from typing import Any

import pytest
from bench.audit import Audit
from bench.share import Timeline
from bench.table import Row, quantile, render

OPERATOR = "system:serviceaccount:bilten-system:bilten-operator"


def told(audit_id: str, second: float, user: str = OPERATOR, verb: str = "patch", **more: Any) -> str:
    """A line of an API server's audit log."""
    ref = {"resource": "deployments", "namespace": "shop", "name": "api", **more}
    at = f"2026-01-01T00:00:{second:09.6f}Z"
    user_info = {"username": user}
    line = {"auditID": audit_id, "verb": verb, "user": user_info, "objectRef": ref, "requestReceivedTimestamp": at}
    return json.dumps({**line, "responseStatus": {"code": 200}}) + "\n"


def seen(name: str, **status: Any) -> dict[str, Any]:
    """An object as a watch tells of it."""
    return {"metadata": {"name": name}, "spec": {}, "status": status}


def condition(kind: str) -> list[dict[str, str]]:
    return [{"type": kind, "status": "True"}]


def test_the_quantile_is_a_value_that_was_measured():
    values = [float(number) for number in range(200, 0, -1)]
    assert quantile(values, 0.99) == 198
    assert quantile(values, 0.5) == 100
    assert quantile([3.0], 0.99) == 3


def test_calls_are_read_once_each_in_the_order_of_their_arrival(tmp_path: Path):
    log = tmp_path / "audit.log"
    log.write_text(told("b", 2.5) + told("a", 1, verb="get", subresource="status") + told("a", 1, verb="get"))
    audit = Audit(log, OPERATOR)
    first, second = audit.operator(0)
    assert (first.what, first.writes, second.what, second.writes) == ("deployments/status", False, "deployments", True)
    assert second.at - first.at == 1.5


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(tmp_path: Path):
    log, line = tmp_path / "audit.log", told("a", 1)
    log.write_text(line[:40])
    audit = Audit(log, OPERATOR)
    assert audit.operator(0) == []
    with log.open("a") as rest:
        rest.write(line[40:])
    assert len(audit.operator(0)) == 1


def test_edits_are_those_of_others_than_the_operator(tmp_path: Path):
    log = tmp_path / "audit.log"
    log.write_text(told("a", 1) + told("b", 2, user="somebody", resource="bilteninstances"))
    assert [call.user for call in Audit(log, OPERATOR).edits(0)] == ["somebody"]


def test_the_operators_share_is_what_passes_between_a_childs_readiness_and_the_next_write():
    timeline = Timeline()
    timeline.saw_instance(seen("bilten"), 0)
    timeline.saw_child("Cluster", seen("db"), 0.5)
    timeline.saw_child("Cluster", seen("db", conditions=condition("Ready"), readyInstances=1), 20)
    timeline.saw_child("StatefulSet", seen("objects"), 21)
    timeline.saw_child("StatefulSet", seen("objects", readyReplicas=1), 25)
    timeline.saw_child("Job", seen("migration"), 27)
    timeline.saw_child("Job", seen("migration", conditions=condition("Complete")), 30)
    timeline.saw_child("Deployment", seen("api"), 30.25)
    timeline.saw_child("Deployment", seen("worker"), 30.5)
    timeline.saw_child("Deployment", seen("worker", availableReplicas=1), 35)
    timeline.saw_child("Deployment", seen("api", availableReplicas=1), 40)
    timeline.saw_instance(seen("bilten", conditions=condition("Ready")), 40.25)
    reactions = {"Cluster": 0.5, "StatefulSet": 1, "Job": 2, "Deployment": 0.5, "Ready": 0.25}
    assert timeline.reactions() == reactions
    assert timeline.waits() == {"Cluster": 19.5, "StatefulSet": 4, "Job": 3, "Deployment": 9.5}
    assert sum(reactions.values()) + sum(timeline.waits().values()) == 40.25


def test_a_share_is_not_told_of_what_was_not_seen_whole():
    timeline = Timeline()
    timeline.saw_instance(seen("bilten", conditions=condition("Ready")), 1)
    with pytest.raises(ValueError, match="no Cluster was seen"):
        timeline.reactions()


def test_the_table_says_what_was_reached_missed_and_not_measured():
    rows = [
        Row("fast", "≤ 1 s", figure="0.5 s", reached=True),
        Row("slow", "≤ 1 s", figure="2.0 s", reached=False, notes=["median 1.0 s"]),
        Row("absent", "≤ 1 s", skipped="there is no cluster"),
    ]
    lines = render(rows).splitlines()
    assert [line.split()[-1] for line in lines[4:7]] == ["reached", "MISSED", "measured"]
    assert lines[-5:] == ["slow:", "  median 1.0 s", "", "absent:", "  there is no cluster"]
