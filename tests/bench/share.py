"""How much of the time from `kubectl apply` to Ready is the operator's own.

An instance comes up in stages: the operator writes something, another controller makes it ready, the operator writes
what follows. The operator's own share is the sum of all reactions: from the moment at which what was waited for is
ready to the next stage's write, and at the end to the instance's Ready. In it is whatever the operator does then: its
pauses, its own requests to the object store, what it writes before. All times are those at which one observer heard of
it from a watch.
"""

from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]

#: The stages in order, by the kinds of which an instance has one or more.
STAGES = ("Cluster", "StatefulSet", "Job", "Deployment")


@dataclass
class _Times:
    made: float
    ready: float | None = None


@dataclass
class Timeline:
    """What an observer heard of an instance and its children, in seconds of one clock."""

    made: float | None = None
    ready: float | None = None
    _children: dict[tuple[str, str], _Times] = field(default_factory=dict)

    def saw_instance(self, found: Object, at: float) -> None:
        """A watch told of the instance."""
        self.made = at if self.made is None else self.made
        if self.ready is None and _condition(found, "Ready"):
            self.ready = at

    def saw_child(self, kind: str, found: Object, at: float) -> None:
        """A watch told of one of its children."""
        times = self._children.setdefault((kind, found["metadata"]["name"]), _Times(at))
        if times.ready is None and _READY[kind](found):
            times.ready = at

    def reactions(self) -> dict[str, float]:
        """Seconds that the operator took, by what it brought about. Raises ValueError when something was never seen."""
        if self.made is None or self.ready is None:
            raise ValueError("the instance was not seen Ready")
        ready_at = self.made
        took_s = {}
        for stage in STAGES:
            times = [times for (kind, _), times in self._children.items() if kind == stage]
            if not times:
                raise ValueError(f"no {stage} was seen")
            took_s[stage] = max(0.0, max(one.made for one in times) - ready_at)
            # What the observer did not see ready before the instance was, the operator did.
            ready_at = max(ready_at, *(one.ready if one.ready is not None else self.ready for one in times))
        took_s["Ready"] = max(0.0, self.ready - ready_at)
        return took_s

    def waits(self) -> dict[str, float]:
        """Seconds for which others were waited for, by stage."""
        waited_s = {}
        for stage in STAGES:
            times = [times for (kind, _), times in self._children.items() if kind == stage]
            ready = [one.ready for one in times if one.ready is not None]
            waited_s[stage] = max(ready) - max(one.made for one in times) if ready else 0.0
        return waited_s


def _condition(found: Object, kind: str) -> bool:
    told = (found.get("status") or {}).get("conditions") or []
    return any(one["type"] == kind and one["status"] == "True" for one in told)


def _cluster(found: Object) -> bool:
    return _condition(found, "Ready") and found["status"].get("readyInstances", 0) >= found["spec"].get("instances", 1)


def _deployment(found: Object) -> bool:
    status = found.get("status") or {}
    return bool(status.get("availableReplicas", 0) >= found["spec"].get("replicas", 1))


_READY = {
    "Cluster": _cluster,
    "StatefulSet": lambda found: bool((found.get("status") or {}).get("readyReplicas", 0) >= 1),
    "Job": lambda found: _condition(found, "Complete"),
    "Deployment": _deployment,
}
