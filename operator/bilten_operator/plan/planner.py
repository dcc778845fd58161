"""`plan`: what is observed → what to write next and what to tell. The whole of the operator's reasoning on one page.

It remembers nothing. Whatever was written before, by this process or one that was killed, is in what is observed.
"""

from datetime import datetime

from pydantic import ValidationError

from bilten_operator.api.conditions import ConditionType
from bilten_operator.plan import buckets, deletion, needs, signatures, steps, telling
from bilten_operator.plan.changes import Changes
from bilten_operator.plan.judge import Verdict, waits
from bilten_operator.plan.model import Event, Manifest, Observed, OperatorConfig, Plan, Randomness, StepName
from bilten_operator.plan.scene import Scene
from bilten_operator.plan.summary import Summary
from bilten_operator.plan.telling import Told
from bilten_operator.resources.instance import Instance

#: While something is under way that a watch should tell of.
_LOOK_AGAIN_S = 60.0
#: The same, of objects that others made: they are read when they are looked at, not watched.
_LOOK_AT_OTHERS_S = 5.0
#: What is no longer wanted goes as soon as these are ready: an autoscaler must not wait for pods it fights about.
_BEFORE_PRUNING = (StepName.SECRETS, StepName.DATABASE, StepName.BUCKETS, StepName.MIGRATION)


def plan(
    instance: Manifest, observed: Observed, *, now: datetime, operator: OperatorConfig, randomness: Randomness
) -> Plan:
    """What to do next about a BiltenInstance, given as the API returns it."""
    try:
        scene = Scene(instance, Instance.read(instance), observed, now, operator, randomness)
    except ValidationError as error:
        return _invalid(instance, error, now)
    if "deletionTimestamp" in instance["metadata"]:
        return deletion.plan(scene)
    changes = Changes(scene)
    verdicts: dict[StepName, Verdict] = {}
    blocked: StepName | None = None
    for step in steps.STEPS:
        verdict = _take(step, changes, behind=blocked is not None)
        verdicts[step.name] = verdict
        if blocked is None and not verdict.ready:
            blocked = step.name
    if all(verdicts[name].ready for name in _BEFORE_PRUNING):
        changes.prune()
    summary = Summary(scene, verdicts, blocked, tuple(changes.withheld))
    told = summary.told()
    paused = scene.instance.spec.paused
    corrected = [] if paused else changes.corrected
    return Plan(
        writes=() if paused else tuple(changes.writes),
        status=summary.status(told),
        events=(
            *telling.events(told, summary.previous),
            *(Event("Normal", "DriftCorrected", f"Undid a change to {ref.kind} {ref.name}.") for ref in corrected),
        ),
        wake_after_s=None if paused else _wake_s(summary),
        wants_finalizer=deletion.has_work(scene),
        question=signatures.question(scene),
    )


def _take(step: steps.Step, changes: Changes, *, behind: bool) -> Verdict:
    """Write what the step lacks, and judge it. Behind a blocked step nothing new begins, and what is there stays."""
    scene = changes.scene
    unmet = needs.unmet(scene, step.name)
    made = [steps.settled(scene, manifest) for manifest in step.make(scene)]
    if behind or unmet:
        lagging = [changes.hold(step.name, manifest) for manifest in made]
        if any(lagging) and not unmet:
            return Verdict(ready=False, reason="Waiting", message="Comes after what is waited for.")
        return unmet or _judge(step, scene)
    return _write(step, changes, made) or _judge(step, scene)


def _write(step: steps.Step, changes: Changes, made: list[Manifest]) -> Verdict | None:
    taken = changes.taken(made)
    if taken:
        message = f"{taken.kind} {taken.name} was there before and is not this instance's: rename or remove it."
        return waits("NameTaken", message, taken, failed=True)
    lagging = [ref for manifest in made if (ref := changes.bring(step.name, manifest))]
    once = changes.once(step.name)
    first = next((ref for ref in (*lagging, once) if ref), None)
    if first is None:
        return None
    if changes.scene.instance.spec.paused:
        return waits("Paused", f"{first.kind} {first.name} is not as wanted, and spec.paused is true.", first)
    return waits("Applying", f"{first.kind} {first.name} is being written.", first)


def _judge(step: steps.Step, scene: Scene) -> Verdict:
    last = telling.before(scene.resource.get("status") or {})
    return step.judge(scene, last.get(ConditionType.STORAGE_READY, {}).get("status") == "True")


def _wake_s(summary: Summary) -> float | None:
    waits_s = []
    if summary.blocker:
        others = summary.blocker.blocker is not None and needs.of_others(
            summary.scene.instance, summary.blocker.blocker
        )
        waits_s.append(_LOOK_AT_OTHERS_S if others else _LOOK_AGAIN_S)
    left_s = summary.left_s()
    if left_s is not None and left_s > 0:
        waits_s.append(left_s)
    if summary.verdicts[StepName.DATABASE].ready and steps.store_answers(summary.scene):
        waits_s.append(buckets.next_look_s(summary.scene))
    if (next_s := signatures.next_look_s(summary.scene)) is not None:
        waits_s.append(next_s)
    return min(waits_s, default=None)


def _invalid(resource: Manifest, error: ValidationError, now: datetime) -> Plan:
    """A spec that an older CRD let through: told, and nothing touched."""
    said = "; ".join(
        f"spec.{'.'.join(map(str, item['loc']))}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    )
    message = f"The spec cannot be read: {said}. Correct it, or install the CRD of this operator's version."
    told = [Told(ConditionType.READY, "False", "InvalidSpec", message)]
    previous = resource.get("status") or {}
    generation = resource["metadata"].get("generation", 0)
    others = [one for kind, one in telling.before(previous).items() if kind != ConditionType.READY]
    status = {
        **previous,
        "observedGeneration": generation,
        "phase": "Degraded",
        "conditions": [*telling.conditions(told, previous, generation, now), *others],
    }
    # What its deletion would have to do cannot be read: it must not hang on that.
    deleted = "deletionTimestamp" in resource["metadata"]
    finalizer = bool(resource["metadata"].get("finalizers")) and not deleted
    return Plan((), status, tuple(telling.events(told, previous)), None, wants_finalizer=finalizer)
