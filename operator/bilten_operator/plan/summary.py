"""The whole of `status`, from the verdicts of the steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bilten_operator.api.conditions import ConditionType
from bilten_operator.plan import freshness, signatures, steps, telling
from bilten_operator.plan.judge import Verdict
from bilten_operator.plan.model import Ref, StepName
from bilten_operator.plan.scene import Scene
from bilten_operator.plan.telling import Told

#: No registry takes a longer one, but a spec may name it.
_LONGEST_TAG = 128
_PAUSED = "Nothing is changed while spec.paused is true."


@dataclass(frozen=True)
class Summary:
    """What is to be told of one look at the instance."""

    scene: Scene
    verdicts: Mapping[StepName, Verdict]
    #: The first step that is not ready.
    blocked: StepName | None
    withheld: tuple[Ref, ...]

    @property
    def previous(self) -> dict[str, Any]:
        """What was told last."""
        return self.scene.resource.get("status") or {}

    @property
    def blocker(self) -> Verdict | None:
        """What the first step that is not ready says."""
        return self.verdicts[self.blocked] if self.blocked else None

    @property
    def waiting_for(self) -> dict[str, Any] | None:
        """The object that blocks."""
        return telling.waiting_for(self.blocker, self.previous, self.scene.now)

    def left_s(self) -> float | None:
        """Seconds until the blocked step is overdue; None where nothing is waited for."""
        waiting = self.waiting_for
        if waiting is None:
            return None
        step = next(step for step in steps.STEPS if step.name is self.blocked)
        since = datetime.fromisoformat(waiting["since"])
        return (since + timedelta(seconds=step.deadline_s(self.scene)) - self.scene.now).total_seconds()

    def told(self) -> list[Told]:
        """All conditions."""
        by_step = [
            telling.of(step.condition, self._verdict(step.name)) for step in steps.STEPS if step.condition is not None
        ]
        judged = signatures.with_age(self.scene, steps.judge_scanner(self.scene))
        scanner = telling.of(ConditionType.SCANNER_READY, judged)
        return [self._ready(), *by_step, scanner, *self._backups(), self._progressing(), self._paused()]

    def status(self, told: list[Told]) -> dict[str, Any]:
        """The status as it is written."""
        scene = self.scene
        names = scene.instance.buckets
        made: dict[str, Any] = {
            "observedGeneration": scene.generation,
            "phase": self._phase(told),
            "database": {"state": self._state(StepName.DATABASE)},
            "objectStorage": {"state": self._state(StepName.BUCKETS)},
            "buckets": {"quarantine": names.quarantine, "media": names.media, "backup": names.backup},
            "conditions": telling.conditions(told, self.previous, scene.generation, scene.now),
            "effective": scene.instance.spec.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        version = self._version()
        if version:
            made["version"] = version
        last = freshness.latest(scene) if scene.instance.spec.backup else None
        if last:
            made["backup"] = {"lastSuccessful": telling.time(last)}
        if known := signatures.status(scene):
            made["scanner"] = known
        if self.waiting_for:
            made["waitingFor"] = self.waiting_for
        return made

    def _verdict(self, step: StepName) -> Verdict:
        """The step's; but the API may answer while the worker of the same step is still starting."""
        verdict = self.verdicts[step]
        judged = step is StepName.ROLLOUT and verdict.reason not in steps.NOT_JUDGED
        return steps.judge_api(self.scene) if judged else verdict

    def _ready(self) -> Told:
        verdict = self.blocker or self._stale_backups()
        if verdict is None:
            return Told(ConditionType.READY, "True", "Ready", "All that the spec asks for is there.")
        return Told(ConditionType.READY, "False", verdict.reason, verdict.message)

    def _stale_backups(self) -> Verdict | None:
        verdict = freshness.judge(self.scene)
        return verdict if verdict is not None and verdict.blocker is not None else None

    def _backups(self) -> list[Told]:
        verdict = freshness.judge(self.scene)
        if verdict is None:
            return []
        told = telling.of(ConditionType.BACKUP_HEALTHY, verdict)
        unknown = not verdict.ready and verdict.blocker is None
        return [Told(told.type, "Unknown", told.reason, told.message) if unknown else told]

    def _progressing(self) -> Told:
        kind, blocker, left_s = ConditionType.PROGRESSING, self.blocker, self.left_s()
        if self.scene.instance.spec.paused:
            return Told(kind, "False", "Paused", _PAUSED)
        if blocker is not None and blocker.failed:
            return Told(kind, "False", blocker.reason, blocker.message)
        if blocker is not None and left_s is not None and left_s <= 0:
            return Told(kind, "False", "DeadlineExceeded", f"This takes longer than it should: {blocker.message}")
        if blocker is not None:
            return Told(kind, "True", blocker.reason, blocker.message)
        if self.withheld:
            names = ", ".join(sorted(f"{ref.kind} {ref.name}" for ref in self.withheld))
            return Told(kind, "False", "DriftReported", f"Changed by others, and left so by driftPolicy: {names}.")
        return Told(kind, "False", "Settled", "Nothing is left to do.")

    def _paused(self) -> Told:
        if self.scene.instance.spec.paused:
            return Told(ConditionType.PAUSED, "True", "Paused", _PAUSED)
        return Told(ConditionType.PAUSED, "False", "NotPaused", "Changes are made.")

    def _state(self, step: StepName) -> str:
        verdict = self.verdicts[step]
        if verdict.ready:
            return "External" if verdict.reason == "External" else "Ready"
        return verdict.reason

    def _phase(self, told: list[Told]) -> str:
        by_type = {one.type: one for one in told}
        blocker = self.blocker
        if self.scene.instance.spec.paused:
            return "Paused"
        if by_type[ConditionType.READY].status == "True":
            return "Ready"
        overdue = by_type[ConditionType.PROGRESSING].reason == "DeadlineExceeded"
        if blocker is None or blocker.failed or overdue:
            return "Degraded"
        return "Progressing" if self.scene.find("Deployment", self.scene.instance.api) else "Pending"

    def _version(self) -> str | None:
        """Tag or digest of the image that answers: that of the rolled-out API, else the one told last."""
        scene = self.scene
        found = scene.find("Deployment", scene.instance.api)
        if found and steps.judge_api(scene).ready:
            containers = found["spec"]["template"]["spec"]["containers"]
            return short(next((made["image"] for made in containers if made["name"] == "api"), ""))
        told: str | None = self.previous.get("version")
        return told


def short(image: str) -> str:
    """An image's version in a few signs: the tag, or the beginning of the digest."""
    name, _, digest = image.partition("@sha256:")
    if digest:
        return digest[:12]
    _, colon, tag = name.rpartition("/")[2].partition(":")
    return tag[:_LONGEST_TAG] if colon else "latest"
