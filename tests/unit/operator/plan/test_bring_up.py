"""An instance comes up step by step, whoever is killed on the way."""

import base64
import copy
from typing import Any

import pytest
from bilten_operator.api.status import Status
from bilten_operator.plan.model import Apply, CreateOnce, Delete, EnsureBuckets, StepName
from bilten_operator.plan.steps import STEPS
from support.world import EVERYTHING, World, samples

SAMPLES = samples()
ORDER = [step.name for step in STEPS]


@pytest.fixture(params=SAMPLES)
def spec(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SAMPLES[request.param]


def test_every_sample_becomes_ready(spec: dict[str, Any]):
    world = World(spec).provide().converge()
    assert world.condition("Ready") | {"lastTransitionTime": ""} == {
        "type": "Ready",
        "status": "True",
        "observedGeneration": 1,
        "lastTransitionTime": "",
        "reason": "Ready",
        "message": "All that the spec asks for is there.",
    }
    assert world.instance["status"]["phase"] == "Ready"
    assert "waitingFor" not in world.instance["status"]


def test_steps_come_in_their_order(spec: dict[str, Any]):
    steps = [ORDER.index(write.step) for write in World(spec).provide().converge().history]
    assert steps == sorted(steps)
    assert set(steps) == set(range(len(ORDER))) - ({1} if spec["database"]["mode"] == "External" else set())


def test_what_is_planned_twice_is_written_once(spec: dict[str, Any]):
    world = World(spec).provide().converge()
    again = world.plan()
    assert again.writes == ()
    assert again.events == ()
    assert again.status == world.instance["status"]


def test_every_status_on_the_way_is_what_the_crd_takes(spec: dict[str, Any]):
    world = World(spec)
    for turn in range(30):
        Status.model_validate(world.round().status, context={"environment": spec["environment"]})
        world.controllers()
        if turn == 3:
            world.provide()


@pytest.mark.parametrize("kind", ["Cluster", "StatefulSet", "Bucket", "Job", "Deployment"])
def test_behind_a_step_that_is_not_ready_nothing_begins(kind: str):
    step = {
        "Cluster": StepName.DATABASE,
        "StatefulSet": StepName.BUCKETS,
        "Bucket": StepName.BUCKETS,
        "Job": StepName.MIGRATION,
        "Deployment": StepName.ROLLOUT,
    }[kind]
    world = World(EVERYTHING).provide()
    world.stuck.add(kind)
    for _ in range(20):
        world.round()
        world.controllers()
    assert max(ORDER.index(write.step) for write in world.history) == ORDER.index(step)
    assert world.condition("Ready")["status"] == "False"
    waiting = [found["type"] for found in world.instance["status"]["conditions"] if found["reason"] == "Waiting"]
    assert bool(waiting) == (kind != "Deployment")


def test_killed_after_any_write_it_ends_in_the_same_state(spec: dict[str, Any]):
    """Everything in memory is lost with the operator: what came of actions, too."""
    whole = World(spec).provide().converge()
    world, points = World(spec).provide(), 0
    while world.condition("Ready")["status"] != "True" if "status" in world.instance else True:
        for killed_after in range(len(world.plan().writes) + 1):
            other = copy.deepcopy(world)
            other.round(killed_after=killed_after)
            other.results.clear()
            other.converge()
            assert _shape(other) == _shape(whole), f"killed after {other.history[: len(world.history) + killed_after]}"
            points += 1
        world.round()
        world.controllers()
    assert points > len(whole.history)


def _shape(world: World) -> dict[str, Any]:
    """What there is, but for names and values that are drawn or counted."""
    made = {}
    for ref, found in world.objects.items():
        spec = found.get("spec", found.get("data") if found["kind"] == "ConfigMap" else sorted(found.get("data", {})))
        made[str(ref)] = (found["metadata"].get("labels"), found["metadata"].get("ownerReferences"), _hashless(spec))
    conditions = [(found["type"], found["status"], found["reason"]) for found in world.instance["status"]["conditions"]]
    return {**made, "conditions": conditions}


def _hashless(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _hashless(value) for key, value in content.items() if key != "bilten.io/content-hash"}
    return [_hashless(item) for item in content] if isinstance(content, list) else content


def test_secrets_are_made_once_and_never_written_again(spec: dict[str, Any]):
    world = World(spec).provide().converge()
    made = [write.manifest["metadata"]["name"] for write in world.history if isinstance(write, CreateOnce)]
    assert len(made) == len(set(made))
    for write in world.history:
        if isinstance(write, Apply) and write.manifest["kind"] == "Secret":
            assert write.manifest.keys() == {"apiVersion", "kind", "metadata"}


def test_nothing_that_is_told_or_noted_holds_a_secret(spec: dict[str, Any]):
    world = World(spec).provide().converge()
    values = [value for secret in world.secrets().values() for value in secret.values()]
    assert len(values) >= 3
    told = str((world.instance["status"], world.events, world.history))
    assert not [value for value in values if value in told or base64.b64decode(value).decode() in told]


def test_buckets_are_asked_for_with_accounts_that_reach_only_theirs():
    world = World(EVERYTHING).provide().converge()
    [action] = [write for write in world.history if isinstance(write, EnsureBuckets)]
    assert action.endpoint == "http://bilten-objects.shop.svc:9000"
    assert action.credentials.name == "bilten-objects-admin"
    assert [(user.secret.name, user.buckets) for user in action.users] == [
        ("bilten-s3", ("shop-bilten-quarantine", "shop-bilten-media")),
        ("bilten-backup-s3", ("shop-bilten-backup",)),
    ]


def test_backups_elsewhere_have_their_bucket_made_there():
    world = World(SAMPLES["production"]).provide().converge()
    here, there = [write for write in world.history if isinstance(write, EnsureBuckets)]
    assert here.buckets == ("shop-bilten-quarantine", "shop-bilten-media")
    assert (there.endpoint, there.buckets, there.credentials.name) == (
        "https://backup.example.net",
        ("shop-bilten-backup",),
        "bilten-backup-s3",
    )
    assert not here.users
    assert not there.users


def test_an_instance_that_comes_back_finds_its_data_its_own():
    world = World(SAMPLES["development"]).provide().converge()
    [first] = [write for write in world.history if isinstance(write, EnsureBuckets)]
    data, secrets = world.find("Cluster", "bilten-db"), world.secrets()
    for ref, found in list(world.objects.items()):
        if found["metadata"].get("ownerReferences"):
            del world.objects[ref]
    world.instance["metadata"]["uid"] = "uid-of-the-next"
    del world.instance["status"]
    world.results.clear()
    world.converge()
    assert world.condition("Ready")["status"] == "True"
    assert world.find("Cluster", "bilten-db") is data
    assert world.secrets() == secrets
    last = [write for write in world.history if isinstance(write, EnsureBuckets)][-1]
    assert last.owner == first.owner == "uid-instance"


def test_the_migration_of_an_earlier_instance_does_not_count():
    world = World(SAMPLES["development"]).provide().converge()
    world.instance["metadata"]["uid"] = "uid-of-the-next"
    world.converge()
    deleted = [write for write in world.history if isinstance(write, Delete)]
    assert [write.ref.kind for write in deleted] == ["Job"]
    [name] = world.kinds("Job")
    job = world.find("Job", name)
    assert job
    assert job["metadata"]["ownerReferences"][0]["uid"] == "uid-of-the-next"
