"""The writes that bring objects from what they are to what they are to be."""

from dataclasses import dataclass, field

from bilten_operator.plan import buckets, steps
from bilten_operator.plan.drift import holds, inputs_of, rendered, stamped
from bilten_operator.plan.model import Apply, CreateOnce, Delete, Manifest, Ref, StepName, Write
from bilten_operator.plan.scene import Scene, condition
from bilten_operator.resources import migration
from bilten_operator.resources.instance import COMPONENT, INSTANCE, MANAGED_BY, MANAGER

#: Of what is no longer wanted, only what holds no data is deleted.
_PRUNED = {
    "ConfigMap", "Deployment", "HTTPRoute", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy", "PodMonitor",
    "PodDisruptionBudget", "Pooler", "PrometheusRule", "ScheduledBackup", "Service", "ServiceMonitor",
}  # fmt: skip
#: Takes over the number of pods until an autoscaler changes it: nobody owning it would mean one pod.
HANDOVER = f"{MANAGER}-handover"


@dataclass
class Changes:
    """Collected step by step."""

    scene: Scene
    writes: list[Write] = field(default_factory=list)
    #: Changed by others, and left so because the spec asks for it.
    withheld: list[Ref] = field(default_factory=list)
    #: Changed by others, and undone.
    corrected: list[Ref] = field(default_factory=list)
    wanted: set[Ref] = field(default_factory=set)

    def taken(self, manifests: list[Manifest]) -> Ref | None:
        """The first object that somebody else made: what is not ours is never written."""
        for ref in map(Ref.of, manifests):
            found = self.scene.observed.objects.get(ref)
            # The claim is made by the StatefulSet's controller.
            if found is not None and ref.kind != "PersistentVolumeClaim" and not self._ours(found):
                return ref
        return None

    def bring(self, step: StepName, manifest: Manifest) -> Ref | None:
        """Make an object what it is to be. Returns it if it lags behind the spec, not if somebody changed it."""
        ref = Ref.of(manifest)
        self.wanted.add(ref)
        found = self.scene.observed.objects.get(ref)
        if found is None:
            self._apply(step, manifest, "it does not exist")
            return ref
        if "deletionTimestamp" in found["metadata"]:
            return ref
        last = rendered(found)
        if last != manifest:
            if last:
                self._hand_over(step, manifest, found, last)
            self._apply(step, manifest, "the spec or a Secret has changed")
            return ref
        if manifest["kind"] in steps.ROLLING and inputs_of(found) != steps.follows_from(self.scene, manifest):
            # Else a later upgrade of the operator would take this for a change of the spec, and restart the pods.
            self._apply(step, manifest, "what it follows from has changed, and it stays the same")
        else:
            self._correct(step, manifest, found)
        return None

    def hold(self, step: StepName, manifest: Manifest) -> bool:
        """Keep an object as it was last rendered. Returns whether it lags behind the spec."""
        self.wanted.add(Ref.of(manifest))
        found = self.scene.observed.objects.get(Ref.of(manifest))
        last = rendered(found) if found and self._ours(found) else None
        if found is None or last is None:
            return True
        if "deletionTimestamp" not in found["metadata"]:
            self._correct(step, last, found)
        return last != manifest

    def once(self, step: StepName) -> Ref | None:
        """What is made and never changed: generated Secrets, buckets, the migration Job. Returns what is not there."""
        if step is StepName.SECRETS:
            made = steps.generation(self.scene)
            self.writes += [CreateOnce(step, manifest, "it does not exist") for manifest in made]
            return Ref.of(made[0]) if made else None
        if step is StepName.BUCKETS and steps.store_answers(self.scene):
            self.writes += buckets.due(self.scene)
        return self._migrate() if step is StepName.MIGRATION else None

    def prune(self) -> None:
        """Delete what is no longer wanted: parts that the spec has given up, and earlier images' done migrations."""
        for ref, found in self.scene.observed.objects.items():
            metadata = found["metadata"]
            if ref in self.wanted or ref.namespace != self.scene.instance.namespace:
                continue
            if "deletionTimestamp" in metadata or not self._ours(found):
                continue
            if ref.kind in _PRUNED and rendered(found):
                self.writes.append(Delete(StepName.EXPOSURE, ref, metadata["uid"], "the spec no longer asks for it"))
            elif self._done_with(ref, found):
                why = "its image is no longer the one that runs"
                self.writes.append(Delete(StepName.MIGRATION, ref, metadata["uid"], why))

    def _done_with(self, ref: Ref, found: Manifest) -> bool:
        """Whether it is the migration of another image, and succeeded. Failed ones stay, with their logs."""
        migrates = found["metadata"].get("labels", {}).get(COMPONENT) == migration.COMPONENT
        other = ref.kind == "Job" and migrates and ref.name != self.scene.instance.migration
        return other and condition(found, "Complete").get("status") == "True"

    def _ours(self, found: Manifest) -> bool:
        labels = found["metadata"].get("labels", {})
        return bool(labels.get(MANAGED_BY) == MANAGER and labels.get(INSTANCE) == self.scene.instance.name)

    def _correct(self, step: StepName, manifest: Manifest, found: Manifest) -> None:
        if holds(found, manifest):
            return
        ref = Ref.of(manifest)
        if self.scene.instance.spec.drift_policy == "Report":
            self.withheld.append(ref)
            return
        self.corrected.append(ref)
        # Still what it was rendered from then: a newer spec has yet to come.
        inputs = inputs_of(found) or ""
        self.writes.append(Apply(step, stamped(manifest, inputs), "somebody changed it", drift=True))

    def _apply(self, step: StepName, manifest: Manifest, why: str) -> None:
        inputs = steps.follows_from(self.scene, manifest)
        self.writes.append(Apply(step, stamped(manifest, inputs), why))

    def _hand_over(self, step: StepName, manifest: Manifest, found: Manifest, last: Manifest) -> None:
        if manifest["kind"] == "Deployment" and "replicas" in last["spec"] and "replicas" not in manifest["spec"]:
            kept = {
                "apiVersion": manifest["apiVersion"],
                "kind": manifest["kind"],
                "metadata": {key: manifest["metadata"][key] for key in ("name", "namespace")},
                "spec": {"replicas": found["spec"].get("replicas", 1)},
            }
            self.writes.append(Apply(step, kept, "an autoscaler takes over the number of pods", manager=HANDOVER))

    def _migrate(self) -> Ref | None:
        scene = self.scene
        name = scene.instance.migration
        found = scene.find("Job", name)
        ref = scene.ref("Job", name)
        if found is None:
            job = migration.job(scene.instance, scene.operator)
            self.writes.append(CreateOnce(StepName.MIGRATION, job, "this image has not migrated the database yet"))
            return ref
        if "deletionTimestamp" in found["metadata"]:
            return ref
        owners = found["metadata"].get("ownerReferences") or []
        if any(owner.get("uid") == scene.instance.uid for owner in owners):
            return None
        uid = found["metadata"]["uid"]
        self.writes.append(Delete(StepName.MIGRATION, ref, uid, "an earlier instance of this name made it"))
        return ref
