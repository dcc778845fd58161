"""Which worker is asked of the scanner's signatures and when, and what is made of the answer."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from bilten_operator.plan.model import Answer, Question, Ref, Signatures
from support.world import NAMESPACE, START, World, samples

FRESH = Signatures("clamav 1.4.3", "0123456789abcdef", START - timedelta(hours=1))
OLD = Signatures("clamav 1.4.3", "27400", START - timedelta(days=3))


def worker(world: World, name: str, *, ready: bool = True, address: str | None = "10.1.2.3") -> dict[str, Any]:
    """A worker's pod."""
    status: dict[str, Any] = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    if address:
        status["podIP"] = address
    pod = world.put(Ref("v1", "Pod", NAMESPACE, name), status=status)
    pod["metadata"]["labels"] = {
        "app.kubernetes.io/instance": "bilten", "app.kubernetes.io/component": "worker",
    }  # fmt: skip
    return pod


@pytest.fixture
def world() -> World:
    """An instance that is ready, with a worker."""
    made = World(samples()["development"]).provide().converge()
    worker(made, "bilten-worker-a")
    return made


def asked(world: World) -> Question | None:
    return world.plan().question


def answer(world: World, signatures: Signatures | None, failures: int = 0) -> None:
    """The worker that is asked now tells this."""
    question = asked(world)
    assert question
    world.answer = Answer(question, world.now, signatures, failures)


def told(world: World) -> Any:
    return world.round().status.get("scanner")


def pass_(world: World, seconds: float) -> None:
    world.now += timedelta(seconds=seconds)


def test_a_ready_worker_is_asked_on_its_own_port(world: World):
    pod = world.find("Pod", "bilten-worker-a")
    assert pod
    assert asked(world) == Question(pod["metadata"]["uid"], "10.1.2.3", 3002)


def test_nobody_is_asked_who_cannot_answer(world: World):
    del world.objects[Ref("v1", "Pod", NAMESPACE, "bilten-worker-a")]
    assert asked(world) is None
    worker(world, "bilten-worker-b", ready=False)
    worker(world, "bilten-worker-c", address=None)
    leaving = worker(world, "bilten-worker-d")
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T08:00:00Z"
    assert asked(world) is None
    assert told(world) is None


def test_what_a_worker_tells_stands_in_the_status_and_is_asked_again_within_ten_minutes(world: World):
    assert told(world) is None
    answer(world, FRESH)
    wanted = {"engine": "clamav 1.4.3", "signatures": "0123456789abcdef"}
    made_at = FRESH.made_at
    assert made_at
    assert told(world) == {**wanted, "signaturesMadeAt": made_at.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert asked(world) is None
    pass_(world, 539)
    assert asked(world) is None
    pass_(world, 1)
    assert asked(world)


def test_signatures_of_no_date_are_told_without(world: World):
    answer(world, Signatures("clamav 1.4.3", "unnumbered", None))
    assert told(world) == {"engine": "clamav 1.4.3", "signatures": "unnumbered"}


@pytest.mark.parametrize(("failures", "after_s"), [(1, 30), (2, 60), (4, 240), (6, 540), (5000, 540)])
def test_who_does_not_answer_is_asked_less_and_less_often_and_what_was_told_stays(
    world: World, failures: int, after_s: int
):
    answer(world, FRESH)
    before = told(world)
    assert before
    pass_(world, 600)
    answer(world, None, failures)
    assert told(world) == before
    pass_(world, after_s - 1)
    assert asked(world) is None
    pass_(world, 1)
    assert asked(world)


def test_the_instance_is_looked_at_again_should_its_worker_not_answer(world: World):
    assert (bool(asked(world)), world.plan().wake_after_s) == (True, 30)
    answer(world, None, failures=1)
    pass_(world, 10)
    assert (asked(world), world.plan().wake_after_s) == (None, 20)
    pass_(world, 20)
    assert (bool(asked(world)), world.plan().wake_after_s) == (True, 60)


@pytest.mark.parametrize("failures", [0, 6])
def test_no_look_is_made_for_a_question_that_has_time_until_the_next_one(world: World, failures: int):
    answer(world, None if failures else FRESH, failures)
    wake_s = world.plan().wake_after_s
    assert wake_s is not None
    assert wake_s > 540


def test_who_answered_is_relied_on_to_answer_again(world: World):
    answer(world, FRESH)
    pass_(world, 600)
    world.round()  # the buckets are looked at, too
    made = world.plan()
    assert made.question
    assert made.wake_after_s == 600


def test_another_worker_is_asked_soon_and_the_answer_of_one_that_is_gone_counts_no_more(world: World):
    answer(world, FRESH)
    del world.objects[Ref("v1", "Pod", NAMESPACE, "bilten-worker-a")]
    worker(world, "bilten-worker-b", address="10.1.2.4")
    assert told(world) is None
    pass_(world, 5)
    question = asked(world)
    assert question
    assert question.host == "10.1.2.4"


def scanner_ready(world: World) -> tuple[str, str, str]:
    world.round()
    found = world.condition("ScannerReady")
    return found["status"], found["reason"], found["message"]


def test_signatures_older_than_two_days_are_told_and_the_instance_stays_ready(world: World):
    answer(world, FRESH)
    well = scanner_ready(world)
    assert well[0] == "True"
    pass_(world, 600)
    answer(world, OLD)
    status, reason, message = scanner_ready(world)
    assert (status, reason) == ("True", "SignaturesTooOld")
    assert message.startswith(well[2])
    assert "it is degraded: its signatures are of 2026-11-20 08:00 UTC, older than 48 hours." in message
    assert world.condition("Ready")["status"] == "True"
    assert world.instance["status"]["phase"] == "Ready"


@pytest.mark.parametrize(
    ("age", "reason"), [(timedelta(hours=48), "Available"), (timedelta(hours=48, seconds=1), "SignaturesTooOld")]
)
def test_signatures_are_too_old_after_two_days_to_the_second(world: World, age: timedelta, reason: str):
    made_at = world.now - age
    answer(world, Signatures("clamav 1.4.3", "1", made_at))
    assert scanner_ready(world)[1] == reason


def test_what_was_told_ages_while_nobody_answers(world: World):
    answer(world, FRESH)
    assert scanner_ready(world)[1] == "Available"
    world.answer = None  # another operator
    pass_(world, 3 * 86400)
    assert scanner_ready(world)[1] == "SignaturesTooOld"
    assert datetime.fromisoformat(world.instance["status"]["scanner"]["signaturesMadeAt"]) == FRESH.made_at


def test_a_scanner_of_others_is_told_of_as_well():
    world = World(samples()["external"]).provide().converge()
    worker(world, "bilten-worker-a")
    answer(world, OLD)
    status, reason, message = scanner_ready(world)
    assert (status, reason) == ("True", "SignaturesTooOld")
    assert "is run by others. But it is degraded" in message


def test_a_scanner_that_does_not_answer_has_no_other_trouble(world: World):
    answer(world, OLD)
    world.stuck.add("Deployment")
    found = world.find("Deployment", "bilten-worker")
    assert found
    found["status"]["availableReplicas"] = 0
    status, reason, _ = scanner_ready(world)
    assert (status, reason) == ("False", "RollingOut")
