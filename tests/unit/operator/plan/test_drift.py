"""What others change is undone or told; what they add is theirs."""

import copy
from typing import Any

import pytest
from bilten_operator.plan.drift import holds, larger, rendered, stamped
from bilten_operator.plan.model import Apply
from hypothesis import given
from hypothesis import strategies as st
from support.world import World, samples

SAMPLES = samples()


def ready(**spec: Any) -> World:
    world = World({**SAMPLES["development"], **spec}).provide().converge()
    world.history.clear()
    world.events.clear()
    return world


CHANGES = {
    "a port": ("Service", "bilten-api", ["spec", "ports", 0, "port"], 81),
    "an image": ("Deployment", "bilten-api", ["spec", "template", "spec", "containers", 0, "image"], "evil:1"),
    "the number of pods": ("Deployment", "bilten-worker", ["spec", "replicas"], 5),
    "a setting": ("ConfigMap", "bilten-settings", ["data", "BILTEN_ENVIRONMENT"], "staging"),
    "the database": ("Cluster", "bilten-db", ["spec", "instances"], 2),
    "a host": ("Ingress", "bilten", ["spec", "rules", 0, "host"], "evil.example.com"),
    "who may come in": ("NetworkPolicy", "bilten-objects", ["spec", "ingress"], [{}]),
    "a label": ("Service", "bilten-api", ["metadata", "labels", "app.kubernetes.io/component"], "other"),
}


def change(world: World, what: str) -> dict[str, Any]:
    kind, name, path, value = CHANGES[what]
    found: Any = world.find(kind, name)
    place = found
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return found


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_undone_and_told(what: str):
    world = ready()
    before = copy.deepcopy(world.objects)
    found = change(world, what)
    world.converge()
    assert [(write.manifest["kind"], write.drift) for write in world.history if isinstance(write, Apply)] == [
        (found["kind"], True)
    ]
    for ref, was in before.items():
        assert world.objects[ref].get("spec") == was.get("spec")
        assert world.objects[ref]["metadata"].get("labels") == was["metadata"].get("labels")
    corrected = f"Undid a change to {found['kind']} {found['metadata']['name']}."
    assert [message for reason, message in world.events if reason == "DriftCorrected"] == [corrected]


@pytest.mark.parametrize("what", CHANGES)
def test_with_the_policy_report_it_is_left_and_told_once(what: str):
    world = ready(driftPolicy="Report")
    found = change(world, what)
    changed = copy.deepcopy(found.get("spec", found.get("data")))
    world.converge()
    assert world.history == []
    assert found.get("spec", found.get("data")) == changed
    told = world.condition("Progressing")
    assert told["reason"] == "DriftReported"
    assert f"{found['kind']} {found['metadata']['name']}" in told["message"]
    assert [reason for reason, _ in world.events].count("DriftReported") == 1


def test_with_the_policy_report_an_edit_still_reaches_what_was_changed():
    world = ready(driftPolicy="Report")
    change(world, "an image")
    world.edit(image="bilten:2")
    world.converge()
    found = world.find("Deployment", "bilten-api")
    assert found
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "bilten:2"
    assert world.condition("Progressing")["reason"] == "Settled"


@pytest.mark.parametrize("policy", ["Correct", "Report"])
@pytest.mark.parametrize("kind", ["Service", "Deployment", "NetworkPolicy", "ConfigMap", "Ingress"])
def test_what_was_deleted_is_made_again(kind: str, policy: str):
    world = ready(driftPolicy=policy)
    refs = [ref for ref in world.objects if ref.kind == kind]
    for ref in refs:
        del world.objects[ref]
    world.converge()
    assert all(ref in world.objects for ref in refs)
    assert world.condition("Ready")["status"] == "True"


def test_what_others_add_is_left_alone():
    world = ready()
    found = world.find("Deployment", "bilten-api")
    assert found
    pod = found["spec"]["template"]["spec"]
    pod["containers"].append({"name": "mesh", "image": "mesh:1"})
    pod["containers"][0]["env"].append({"name": "TRACE", "value": "1"})
    pod["volumes"].append({"name": "mesh", "emptyDir": {}})
    found["metadata"]["annotations"]["team"] = "shop"
    world.converge()
    assert world.history == []


def test_a_rule_that_others_add_to_a_network_policy_is_undone():
    world = ready()
    policy = world.find("NetworkPolicy", "bilten-migration")
    assert policy
    policy["spec"]["egress"].append({})
    world.converge()
    assert len(world.history) == 1
    assert {} not in policy["spec"]["egress"]


def test_a_record_that_was_spoilt_is_written_anew():
    world = ready()
    found = world.find("Deployment", "bilten-api")
    assert found
    found["metadata"]["annotations"]["bilten.io/render"] = "spoilt"
    world.converge()
    assert rendered(found)
    assert world.rolled()["bilten-api"] == 0


MANIFESTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(MANIFESTS)
def test_everything_holds_itself(content: Any):
    assert holds(content, content)


@given(st.dictionaries(st.text(max_size=3), MANIFESTS, max_size=4), st.text(min_size=4, max_size=6), MANIFESTS)
def test_more_than_is_wanted_holds_what_is_wanted(content: dict[str, Any], key: str, more: Any):
    assert holds({**content, key: more}, content)


@given(st.dictionaries(st.text(max_size=3), MANIFESTS, max_size=4))
def test_what_was_stamped_is_read_back(spec: dict[str, Any]):
    manifest = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x", "annotations": {"a": "b"}}, "spec": spec}
    written = stamped(manifest, "inputs")
    assert rendered(written) == manifest
    assert written["metadata"]["annotations"]["a"] == "b"


@pytest.mark.parametrize(
    ("observed", "wanted", "same"),
    [
        ({"cpu": "1"}, {"cpu": "1000m"}, True),
        ({"memory": "1Gi"}, {"memory": "1024Mi"}, True),
        ({"memory": "1G"}, {"memory": "1Gi"}, False),
        ({"cpu": "100m"}, {"cpu": "100000u"}, True),
        ({"memory": "1Pi"}, {"memory": "1024Ti"}, True),
        ({"memory": "1E"}, {"memory": "1e18"}, True),
        ({"memory": "1.5Gi"}, {"memory": "1536Mi"}, True),
        ({"name": "1e"}, {"name": "1E"}, False),
        ({"name": "a"}, {"name": "b"}, False),
        ({}, {"env": [], "value": "", "x": {}}, True),
        ({}, {"port": 1}, False),
        ({"list": [1, 2]}, {"list": [1]}, False),
        ({"ports": [{"containerPort": 1}, {"containerPort": 2}]}, {"ports": [{"containerPort": 1}]}, True),
        ({"ports": [{"port": 1}, {"port": 2}]}, {"ports": [{"port": 1}]}, False),
    ],
)  # fmt: skip
def test_quantities_and_lists_are_compared_as_kubernetes_does(observed: Any, wanted: Any, same: bool):
    assert holds(observed, wanted) is same


def test_sizes_are_compared_as_quantities():
    assert larger("1Ti", "999Gi")
    assert not larger("1024Mi", "1Gi")
    assert larger("2Pi", "1024Ti")
    assert not larger("nothing", "1Gi")
    assert not larger("1e999999999", "1Gi")
