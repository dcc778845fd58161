"""What holds of every instance, whatever is done to it and whenever its operator is killed."""

import copy
from typing import Any

from bilten_operator.plan.model import Apply, CreateOnce, Delete, DeleteBuckets, Ref
from bilten_operator.plan.steps import STEPS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.world import World

ORDER = [step.name for step in STEPS]
DIGESTS = ["registry.example.com/bilten@sha256:" + sign * 64 for sign in "0123"]
STORE = {"endpoint": "https://s3.example.com", "secretRef": {"name": "s3"}}
DATA = {"Secret", "Cluster", "StatefulSet", "PersistentVolumeClaim", "ObjectStore"}

_api = st.one_of(
    st.fixed_dictionaries({"replicas": st.integers(0, 3)}),
    st.just({"autoscaling": {"minReplicas": 2, "maxReplicas": 4}}),
)
_exposure = st.sampled_from(
    [
        None,
        {"mode": "Ingress", "host": "api.example.com"},
        {"mode": "Ingress", "host": "api.example.com", "tls": {"secretName": "tls"}},
        {"mode": "Gateway", "host": "api.example.com", "gateway": {"name": "web"}},
    ]
)
_scanner = st.sampled_from([None, {"mode": "Shared"}, {"mode": "External", "external": {"host": "clamd.example.com"}}])
_editable = {
    "image": st.sampled_from(DIGESTS),
    "api": _api,
    "worker": st.fixed_dictionaries({"replicas": st.integers(0, 2)}),
    "config": st.sampled_from([None, {"logLevel": "debug"}, {"corsOrigins": ["https://www.example.com"]}]),
    "exposure": _exposure,
    "scanner": _scanner,
    "monitoring": st.sampled_from([None, {"enabled": True}]),
    "networkPolicy": st.sampled_from([None, {"enabled": False}]),
}
_databases = st.sampled_from(
    [
        {"mode": "Managed"},
        {"mode": "Managed", "managed": {"instances": 2, "pooler": {}}},
        {"mode": "External", "external": {"secretRef": {"name": "db"}}},
    ]
)
_stores = st.sampled_from([{"mode": "Managed"}, {"mode": "External", "external": STORE}])


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    spec = {
        "environment": draw(st.sampled_from(["development", "staging"])),
        "database": draw(_databases),
        "objectStorage": draw(_stores),
        "deletionPolicy": draw(st.sampled_from(["Retain", "Delete"])),
        **{name: draw(values) for name, values in _editable.items()},
    }
    if spec["database"]["mode"] == "Managed":
        spec["backup"] = draw(st.sampled_from([None, {}, {"objectStorage": STORE}]))
    return {name: value for name, value in spec.items() if value is not None}


@st.composite
def edits(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(_editable)))
    return {name: draw(_editable[name])}


lightly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@lightly
@given(spec=specs(), changes=st.lists(edits(), max_size=3), kills=st.lists(st.integers(0, 12), max_size=6))
def test_edited_and_killed_at_random_it_becomes_what_a_fresh_one_is(
    spec: dict[str, Any], changes: list[dict[str, Any]], kills: list[int]
):
    world = World(spec).provide()
    for change in [{}, *changes]:
        world.edit(**change)
        world.provide()
        for killed_after in kills:
            world.round(killed_after=killed_after)
            world.results.clear()
            world.controllers()
    world.converge()
    assert world.condition("Ready")["status"] == "True"
    assert world.plan().writes == ()
    fresh = World(world.instance["spec"]).provide().converge()
    assert _made(world) == _made(fresh)


def _made(world: World) -> dict[str, Any]:
    made = {}
    for ref, found in world.objects.items():
        others = ref.kind in ("Secret", "Gateway", "IngressClass", "StorageClass")
        if others and not found["metadata"].get("labels"):
            continue  # of others: what an earlier spec named may still be there
        made[str(ref)] = _plain(found.get("spec"))
    return made


def _plain(content: Any) -> Any:
    """Without hashes of secrets, which are others in the other world, and without what an autoscaler may decide."""
    if isinstance(content, dict):
        left = {key: value for key, value in content.items() if key not in ("bilten.io/content-hash", "replicas")}
        return {key: _plain(value) for key, value in left.items()}
    return [_plain(item) for item in content] if isinstance(content, list) else content


@lightly
@given(spec=specs(), changes=st.lists(edits(), max_size=3), deleted=st.booleans())
def test_data_is_never_deleted_by_the_operator_unless_the_policy_says_so(
    spec: dict[str, Any], changes: list[dict[str, Any]], deleted: bool
):
    world = World({**spec, "deletionPolicy": "Retain"}).provide().converge()
    kept = {ref: found for ref, found in world.objects.items() if ref.kind in DATA}
    for change in changes:
        world.edit(**change)
        world.provide().converge()
    if deleted:
        world.instance["metadata"]["deletionTimestamp"] = "2026-11-23T09:00:00Z"
        world.round()
    assert not [write for write in world.history if isinstance(write, DeleteBuckets)]
    assert not [write for write in world.history if isinstance(write, Delete) and write.ref.kind in DATA]
    assert all(world.objects[ref] is found for ref, found in kept.items())
    assert not [ref for ref, found in kept.items() if found["metadata"].get("ownerReferences")]


@lightly
@given(spec=specs(), changes=st.lists(edits(), max_size=3), lost=st.integers(0, 5))
def test_a_secret_is_never_made_a_second_time(spec: dict[str, Any], changes: list[dict[str, Any]], lost: int):
    world = World(spec).provide().converge()
    before = copy.deepcopy(world.secrets())
    for change in changes:
        world.edit(**change)
        world.provide().converge()
    assert {name: world.secrets()[name] for name in before} == before
    made = [Ref.of(write.manifest) for write in world.history if isinstance(write, CreateOnce)]
    generated = [ref for ref in made if ref.kind == "Secret" and ref.name in before]
    assert len(generated) == len(set(generated))
    gone = generated[lost % len(generated)]
    del world.objects[gone]
    world.history.clear()
    world.converge()
    used = "backup" not in gone.name or world.find("ObjectStore", "bilten-db")
    if used:
        assert gone not in world.objects
        assert world.condition("Ready")["reason"] == "SecretLost"


@lightly
@given(spec=specs(), stuck=st.sampled_from(["Cluster", "StatefulSet", "Bucket", "Job", "Deployment", "HTTPRoute"]))
def test_a_later_step_never_begins_before_the_earlier_ones_are_ready(spec: dict[str, Any], stuck: str):
    world = World(spec).provide()
    world.stuck.add(stuck)
    for _ in range(15):
        made = world.round()
        begun = [ORDER.index(write.step) for write in made.writes]
        assert begun == sorted(begun)
        assert len(set(begun)) <= 1, "a step is judged before the next begins"
        world.controllers()
    kinds = [write.manifest["kind"] for write in world.history if isinstance(write, Apply)]
    if stuck == "Cluster" and spec["database"]["mode"] == "Managed":
        assert "StatefulSet" not in kinds
    if stuck == "Job":
        assert "Deployment" not in kinds
    if stuck == "Deployment":
        assert not {"Ingress", "HTTPRoute"} & set(kinds)
