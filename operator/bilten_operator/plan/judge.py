"""Is it ready, and if not, which object says why?"""

from dataclasses import dataclass
from typing import Any

from bilten_operator.plan.model import Manifest, Ref
from bilten_operator.plan.scene import Scene, condition
from bilten_operator.resources import backup

#: Why a container waits: with these it will not start by waiting longer.
_TROUBLE = {
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "RunContainerError",
}


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a step."""

    ready: bool
    reason: str
    message: str
    blocker: Ref | None = None
    #: Waiting does not help: somebody has to do something.
    failed: bool = False
    #: Whether the step's condition holds, where that is not the same as being ready: nothing may be wanted.
    holds: bool | None = None


def waits(reason: str, message: str, blocker: Ref, *, failed: bool = False) -> Verdict:
    """Not ready, because of that object."""
    return Verdict(ready=False, reason=reason, message=message, blocker=blocker, failed=failed)


def deployment(scene: Scene, name: str, component: str) -> Verdict:
    """Whether all pods of a Deployment are there, of its newest template."""
    ref = scene.ref("Deployment", name)
    found = scene.find("Deployment", name)
    if found is None:
        return waits("NotCreated", f"Deployment {name} is not there yet.", ref)
    wanted = found["spec"].get("replicas", 1)
    status = found.get("status", {})
    if status.get("observedGeneration", 0) < found["metadata"].get("generation", 0):
        return waits("RollingOut", f"Deployment {name} has not been looked at since it was changed.", ref)
    if wanted == 0 and not status.get("replicas"):
        return Verdict(ready=True, reason="ScaledToZero", message=f"{name} is scaled to zero.", holds=False)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    total = status.get("replicas", 0)
    if updated >= wanted and available >= wanted and total <= updated:
        return Verdict(ready=True, reason="Available", message=f"{available} of {wanted} pods of {name} answer.")
    return (
        _refused(found, ref)
        or _pod_trouble(scene, component)
        or waits("RollingOut", f"{min(updated, available)} of {wanted} pods of {name} are new and answer.", ref)
    )


def stateful_set(scene: Scene, name: str, component: str) -> Verdict:
    """Whether the one pod of a StatefulSet is there, of its newest template."""
    ref = scene.ref("StatefulSet", name)
    found = scene.find("StatefulSet", name)
    if found is None:
        return waits("NotCreated", f"StatefulSet {name} is not there yet.", ref)
    status = found.get("status", {})
    current = status.get("observedGeneration", 0) >= found["metadata"].get("generation", 0)
    rolled = status.get("updateRevision") == status.get("currentRevision")
    if current and rolled and status.get("readyReplicas", 0) >= 1:
        return Verdict(ready=True, reason="Available", message=f"{name} answers.")
    return _pod_trouble(scene, component) or waits(
        "Starting", f"The pod of StatefulSet {name} does not answer yet.", ref
    )


def cluster(scene: Scene) -> Verdict:
    """Whether CloudNativePG calls the database ready. It has no observedGeneration: that the Cluster is what was
    rendered last is made sure of before this is asked."""
    name = scene.instance.database
    ref = scene.ref("Cluster", name)
    found = scene.find("Cluster", name)
    if found is None:
        return waits("NotCreated", f"Cluster {name} is not there yet.", ref)
    status = found.get("status", {})
    wanted = found["spec"].get("instances", 1)
    phase = " ".join(filter(None, (status.get("phase"), status.get("phaseReason"))))
    if condition(found, "Ready").get("status") != "True":
        return waits("DatabaseStarting", phase or f"CloudNativePG has not looked at Cluster {name} yet.", ref)
    if status.get("readyInstances", 0) < wanted:
        return waits("DatabaseStarting", f"{status.get('readyInstances', 0)} of {wanted} instances are ready.", ref)
    if scene.find("Secret", f"{name}-app") is None:
        return waits(
            "SecretMissing", f"CloudNativePG has not made Secret {name}-app.", scene.ref("Secret", f"{name}-app")
        )
    if behind := _without_plugin(scene, status.get("instanceNames") or []):
        return behind
    return Verdict(ready=True, reason="Ready", message=f"{wanted} of {wanted} instances are ready.")


def _without_plugin(scene: Scene, pods: list[str]) -> Verdict | None:
    """A database pod that cannot make backups, where they are asked for: CloudNativePG starts it anew in a moment, and
    a backup that has begun by then fails."""
    if scene.instance.spec.backup is None:
        return None
    for name in pods:
        containers = (scene.find("Pod", name) or {}).get("spec", {}).get("initContainers") or []
        if backup.SIDECAR not in [container["name"] for container in containers]:
            message = f"Pod {name} is without the plugin that makes backups: CloudNativePG will start it anew."
            return waits("DatabaseStarting", message, scene.ref("Pod", name))
    return None


def pooler(scene: Scene) -> Verdict:
    """Whether PgBouncer is there."""
    name = scene.instance.pooler
    ref = scene.ref("Pooler", name)
    found = scene.find("Pooler", name)
    if found is None:
        return waits("NotCreated", f"Pooler {name} is not there yet.", ref)
    # The Pooler's own status counts the pods that are meant to be there.
    status = (scene.find("Deployment", name) or {}).get("status", {})
    wanted, ready = found["spec"].get("instances", 1), status.get("availableReplicas", 0)
    if ready >= wanted:
        return Verdict(ready=True, reason="Ready", message=f"{ready} of {wanted} poolers answer.")
    return waits("PoolerStarting", f"{ready} of {wanted} poolers answer.", ref)


def job(scene: Scene, name: str) -> Verdict:
    """Whether a migration is done, by the Job's conditions: its completion time says nothing of a failed one."""
    ref = scene.ref("Job", name)
    found = scene.find("Job", name)
    if found is None:
        return waits("MigrationStarting", f"Job {name} is not there yet.", ref)
    if condition(found, "Complete").get("status") == "True":
        return Verdict(
            ready=True, reason="Applied", message=f"Job {name} has brought the schema to what the image needs."
        )
    failed = condition(found, "Failed")
    if failed.get("status") == "True":
        late = failed.get("reason") == "DeadlineExceeded"
        message = (
            f"Job {name} failed: {failed.get('message', 'it does not say why')}. The pods of the earlier image keep "
            f"serving. Read `kubectl logs job/{name}`, mend the cause, then delete the Job to try again."
        )
        return waits("MigrationTimedOut" if late else "MigrationFailed", message, ref, failed=True)
    return _pod_trouble(scene, "migration") or waits("MigrationRunning", f"Job {name} is at work.", ref)


def route(scene: Scene, name: str) -> Verdict:
    """Whether the Gateway takes an HTTPRoute."""
    ref = scene.ref("HTTPRoute", name)
    found = scene.find("HTTPRoute", name) or {}
    parents: list[dict[str, Any]] = found.get("status", {}).get("parents") or []
    accepted = [item for parent in parents for item in parent.get("conditions", []) if item.get("type") == "Accepted"]
    if any(item.get("status") == "True" for item in accepted):
        return Verdict(ready=True, reason="Exposed", message=f"The Gateway takes HTTPRoute {name}.")
    said = next((item.get("message") for item in accepted), None)
    return waits("RouteNotAccepted", said or f"No Gateway has answered HTTPRoute {name} yet.", ref)


def _refused(found: Manifest, ref: Ref) -> Verdict | None:
    """Pods that are not even made: admission or a quota is against them."""
    failure = condition(found, "ReplicaFailure")
    if failure.get("status") != "True":
        return None
    return waits("PodsRefused", str(failure.get("message", "its pods are refused")), ref)


def _pod_trouble(scene: Scene, component: str) -> Verdict | None:
    """The newest pod that says what it suffers from."""
    for pod in reversed(scene.pods(component)):
        ref, status = Ref.of({"apiVersion": "v1", "kind": "Pod", **pod}), pod.get("status", {})
        scheduled = condition(pod, "PodScheduled")
        if scheduled.get("status") == "False":
            return waits("Unschedulable", str(scheduled.get("message") or "no node takes the pod"), ref)
        for state in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            waiting = state.get("state", {}).get("waiting") or {}
            if waiting.get("reason") in _TROUBLE:
                said = waiting.get("message") or "it does not say more"
                return waits(waiting["reason"], f"Container {state['name']}: {said}", ref)
    return None
