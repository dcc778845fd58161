"""Which signatures the scanner has, and whether they are too old. A worker is asked: scanners have no other window."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bilten_operator.plan import telling
from bilten_operator.plan.judge import Verdict
from bilten_operator.plan.model import Answer, Question
from bilten_operator.plan.scene import Scene, condition
from bilten_operator.resources import worker
from bilten_operator.resources.settings import WORKER_PORT

#: New ones come a few times a day, unnoticed by any watch. Less than the ten minutes after which each instance is
#: looked at anyhow: that look is the time to ask, and none is made for it.
AGAIN_AFTER = timedelta(minutes=9)
#: A worker that has just started learns of its scanner within half a minute.
RETRY_AFTER = timedelta(seconds=30)
#: Between two workers, should the first one come and go.
_OTHER_AFTER = timedelta(seconds=5)
#: As the service has it: they are no protection against what is new.
STALE = timedelta(hours=48)


def question(scene: Scene) -> Question | None:
    """What is to be asked now, if there is anyone to ask."""
    wanted, answer = _question(scene), scene.observed.answer
    if wanted is None or (answer and scene.now - answer.at < _after(answer, wanted)):
        return None
    return wanted


def next_look_s(scene: Scene) -> float | None:
    """Seconds until somebody is to be asked who has not answered yet, or does not now; an answer that is news wakes by
    itself. None where that may wait for the next look."""
    wanted, answer = _question(scene), scene.observed.answer
    if wanted is None:
        return None
    if answer is None or question(scene):
        # It is asked now, and does as it did before.
        last = answer if answer and answer.question == wanted else Answer(wanted, scene.now, None)
        answer = replace(last, at=scene.now, failures=last.failures + 1)
    after = _after(answer, wanted)
    return (after - (scene.now - answer.at)).total_seconds() if after < AGAIN_AFTER else None


def status(scene: Scene) -> dict[str, Any] | None:
    """What `status.scanner` says: the last that was told."""
    answer = scene.observed.answer
    # An answer of a pod that is gone may be of an earlier instance of this name.
    if answer is None or answer.signatures is None or answer.question != _question(scene):
        told: dict[str, Any] | None = (scene.resource.get("status") or {}).get("scanner")
        return told
    known = answer.signatures
    made = {"signaturesMadeAt": telling.time(known.made_at)} if known.made_at else {}
    return {"engine": known.engine, "signatures": known.version, **made}


def with_age(scene: Scene, verdict: Verdict) -> Verdict:
    """A verdict on the scanner that says when its signatures are too old. Files are scanned all the same."""
    made_at = (status(scene) or {}).get("signaturesMadeAt")
    if not verdict.ready or made_at is None:
        return verdict
    made = datetime.fromisoformat(made_at)
    if scene.now - made <= STALE:
        return verdict
    message = (
        f"{verdict.message} But it is degraded: its signatures are of {made:%Y-%m-%d %H:%M} UTC, older than 48 hours. "
        "See that they are renewed; where the operator runs the scanner, the logs of freshclam say why they are not."
    )
    return Verdict(ready=True, reason="SignaturesTooOld", message=message, holds=verdict.holds)


def _question(scene: Scene) -> Question | None:
    for pod in scene.pods(worker.COMPONENT):
        address = pod.get("status", {}).get("podIP")
        if address and condition(pod, "Ready").get("status") == "True":
            return Question(pod["metadata"]["uid"], address, WORKER_PORT)
    return None


def _after(answer: Answer, wanted: Question) -> timedelta:
    if answer.question != wanted:
        return _OTHER_AFTER
    if answer.signatures:
        return AGAIN_AFTER
    return min(AGAIN_AFTER, RETRY_AFTER * 2.0 ** min(max(0, answer.failures - 1), 8))
