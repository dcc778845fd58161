"""When the resource is deleted. Kubernetes deletes what belongs to it; only files in buckets it cannot reach.

So the finalizer exists only where `deletionPolicy: Delete` has such files to delete, and not for ever: a store that is
gone must not keep the resource.
"""

from datetime import datetime, timedelta

from bilten_operator.plan import buckets, telling
from bilten_operator.plan.model import Delete, Event, Plan, StepName, Write
from bilten_operator.plan.scene import Scene

#: After so long the files are left behind, and that is told.
GIVE_UP_AFTER = timedelta(minutes=15)


def has_work(scene: Scene) -> bool:
    """Whether deletion has anything to do that Kubernetes does not do by itself."""
    return scene.instance.spec.deletion_policy == "Delete" and bool(buckets.removals(scene))


def plan(scene: Scene) -> Plan:
    """What is left to do before the resource may go."""
    if not has_work(scene):
        return _done()
    since = datetime.fromisoformat(scene.resource["metadata"]["deletionTimestamp"])
    if scene.now - since >= GIVE_UP_AFTER:
        names = ", ".join(name for action in buckets.removals(scene) for name in action.buckets)
        message = f"The files could not be deleted within {GIVE_UP_AFTER}: delete the buckets {names} yourself."
        return _done(Event("Warning", "FilesLeftBehind", message))
    writers = _writers(scene)
    if writers:
        return _going(scene, tuple(writers), "Waiting for what writes files to be gone.")
    actions = buckets.removals(scene)
    results = [scene.result(action.key) for action in actions]
    if all(result is not None and result.ok for result in results):
        return _done()
    due = tuple(
        action
        for action, result in zip(actions, results, strict=True)
        if result is None or (not result.ok and scene.now - result.at >= buckets.RETRY_AFTER)
    )
    said = next((result.message for result in results if result and not result.ok), "The files are being deleted.")
    return _going(scene, due, said)


def _writers(scene: Scene) -> list[Write]:
    """What would fill the buckets again while they are emptied."""
    instance = scene.instance
    writers: list[Write] = []
    for kind, name in (
        ("Deployment", instance.api),
        ("Deployment", instance.worker),
        ("Cluster", instance.database),
    ):
        found = scene.find(kind, name)
        if found:
            ref, uid = scene.ref(kind, name), found["metadata"]["uid"]
            writers.append(Delete(StepName.BUCKETS, ref, uid, "deletionPolicy is Delete"))
    return writers


def _going(scene: Scene, writes: tuple[Write, ...], message: str) -> Plan:
    status = {**(scene.resource.get("status") or {}), "phase": "Deleting"}
    status["observedGeneration"] = scene.generation
    status.pop("waitingFor", None)
    events = []
    if (scene.resource.get("status") or {}).get("phase") != "Deleting":
        events.append(Event("Normal", "Deleting", telling.cut(message)))
    return Plan(writes, status, tuple(events), buckets.RETRY_AFTER.total_seconds(), wants_finalizer=True)


def _done(*events: Event) -> Plan:
    return Plan((), {}, events, None, wants_finalizer=False)
