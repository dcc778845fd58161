"""What is made of each sample: as committed, acceptable to Kubernetes, and safe."""

import copy
from typing import Any

import pytest
import yaml
from bilten_operator.resources.instance import COMPONENT, INSTANCE, MANAGED_BY
from support.renders import COMMAND, GOLDEN, manifests, page
from support.world import EVERYTHING, World, pods, samples

SAMPLES = samples()
LONG = "a-name-of-thirty-characters-xy"


@pytest.fixture(scope="module", params=SAMPLES)
def made(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return manifests(SAMPLES[request.param])


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_made_of_a_sample_is_what_is_committed(name: str):
    assert page(SAMPLES[name]) == (GOLDEN / f"{name}.yaml").read_text(), f"look at the change, then run: {COMMAND}"


def test_there_is_no_committed_file_of_a_sample_that_is_gone():
    assert {path.stem for path in GOLDEN.iterdir()} == set(SAMPLES)


def violations(pod: dict[str, Any]) -> list[str]:
    """What Pod Security `restricted` (Kubernetes 1.34) would say, and what it leaves to us."""
    found = []
    security = pod.get("securityContext", {})
    if security.get("runAsNonRoot") is not True or security.get("runAsUser", 0) == 0:
        found.append("may run as root")
    if security.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        found.append("has no seccomp profile")
    found += [f"has {name}" for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name)]
    allowed = {"configMap", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    found += [f"volume {volume['name']}" for volume in pod["volumes"] if not (volume.keys() - {"name"}) <= allowed]
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        own, name = container["securityContext"], container["name"]
        if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
            found.append(f"{name} may become more than it is")
        if own.get("capabilities") != {"drop": ["ALL"]}:
            found.append(f"{name} has capabilities")
        if own.get("runAsUser", 1) == 0 or own.get("runAsNonRoot") is False:
            found.append(f"{name} may run as root")
        if any("hostPort" in port for port in container.get("ports", [])):
            found.append(f"{name} has a port of the node")
        resources = container["resources"]
        if not {"cpu", "memory"} <= resources["requests"].keys() or "memory" not in resources["limits"]:
            found.append(f"{name} has no requests or no limit")
        if "/tmp" not in [mount["mountPath"] for mount in container["volumeMounts"]]:  # noqa: S108 an emptyDir
            found.append(f"{name} has no /tmp")
    return found


def test_every_pod_is_restricted(made: list[dict[str, Any]]):
    assert {name: found for name, pod in pods(made).items() if (found := violations(pod))} == {}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("securityContext", "runAsNonRoot"), False, "may run as root"),
        (("containers", 0, "securityContext", "capabilities"), {}, "has capabilities"),
        (("containers", 0, "securityContext", "allowPrivilegeEscalation"), True, "more than it is"),
        (("volumes", 0), {"name": "host", "hostPath": {"path": "/"}}, "volume host"),
    ],
)
def test_the_check_of_pods_can_fail(path: tuple[Any, ...], value: Any, said: str):
    pod = copy.deepcopy(next(iter(pods(manifests(SAMPLES["development"])).values())))
    place: Any = pod
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert any(said in found for found in violations(pod))


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "development"])
def test_no_container_can_write_its_root_outside_development(name: str):
    for pod in pods(manifests(SAMPLES[name])).values():
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_in_development_only_the_service_can_write_its_root():
    writable = [
        container["name"]
        for pod in pods(manifests(SAMPLES["development"])).values()
        for container in [*pod.get("initContainers", []), *pod["containers"]]
        if not container["securityContext"]["readOnlyRootFilesystem"]
    ]
    assert writable == ["api", "worker"]


def test_no_pod_has_a_token_of_the_api_server_or_variables_of_services(made: list[dict[str, Any]]):
    for pod in pods(made).values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False


def test_what_a_container_mounts_is_a_volume_of_its_pod(made: list[dict[str, Any]]):
    claims = {
        claim["metadata"]["name"]
        for manifest in made if manifest["kind"] == "StatefulSet"
        for claim in manifest["spec"]["volumeClaimTemplates"]
    }  # fmt: skip
    for pod in pods(made).values():
        there = {volume["name"] for volume in pod["volumes"]} | claims
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= there


def test_every_secret_and_config_map_that_a_pod_reads_is_made_or_named_by_the_spec(made: list[dict[str, Any]]):
    known = {found["metadata"]["name"] for found in made if found["kind"] in ("Secret", "ConfigMap")}
    known |= {"bilten-db-app", "bilten-database", "bilten-s3", "bilten-cdn"}
    for pod in pods(made).values():
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            for variable in container.get("env", []):
                if "valueFrom" in variable:
                    assert variable["valueFrom"]["secretKeyRef"]["name"] in known
            for source in container.get("envFrom", []):
                assert source["configMapRef"]["name"] in known


def test_every_object_is_labelled_and_in_the_instances_namespace(made: list[dict[str, Any]]):
    for manifest in made:
        labels = manifest["metadata"]["labels"]
        assert labels[INSTANCE] == "bilten"
        assert labels[MANAGED_BY] == "bilten-operator"
        assert labels[COMPONENT]
        assert manifest["metadata"]["namespace"] == "shop"


def test_every_name_is_short_enough_for_the_longest_name_of_an_instance():
    world = World(EVERYTHING, name=LONG).provide().converge()
    assert world.condition("Ready")["status"] == "True"
    names = [ref.name for ref in world.objects if ref.name.startswith(LONG)]
    assert len(names) > 25
    # A pod's name adds a hash or two to the Deployment's; CloudNativePG makes `-rw` and Jobs of the Cluster's.
    assert [name for name in names if len(name) > 52] == []
    assert all(len(name) <= 63 for name in world.instance["status"]["buckets"].values())


def test_nothing_in_a_pod_follows_from_the_operators_version(made: list[dict[str, Any]]):
    text = yaml.safe_dump(list(pods(made).values()))
    assert "app.kubernetes.io/version" not in text


def test_every_pod_is_under_a_network_policy(made: list[dict[str, Any]]):
    policies = [found["spec"] for found in made if found["kind"] == "NetworkPolicy"]
    assert all(policy["policyTypes"] == ["Ingress", "Egress"] for policy in policies)
    for manifest in made:
        if manifest["kind"] in ("Deployment", "StatefulSet", "Job"):
            labels = manifest["spec"]["template"]["metadata"]["labels"]
            selected = [
                policy for policy in policies
                if policy["podSelector"]["matchLabels"].items() <= labels.items()
            ]  # fmt: skip
            assert len(selected) == 1, manifest["metadata"]["name"]


def test_without_network_policies_there_are_none():
    made = manifests({**EVERYTHING, "networkPolicy": {"enabled": False}})
    assert not [found for found in made if found["kind"] == "NetworkPolicy"]


def test_with_retain_nothing_that_bears_data_belongs_to_the_instance():
    made = manifests({**EVERYTHING, "deletionPolicy": "Retain"})
    owned = {(found["kind"], found["metadata"]["name"]) for found in made if "ownerReferences" in found["metadata"]}
    assert not [
        (kind, name) for kind, name in owned
        if kind in ("Secret", "Cluster", "ObjectStore", "StatefulSet", "PersistentVolumeClaim")
    ]  # fmt: skip
    assert ("Deployment", "bilten-api") in owned
    assert ("Job", next(name for kind, name in owned if kind == "Job")) in owned


def test_with_delete_all_of_it_does():
    world = World(EVERYTHING).provide().converge()
    free = [
        ref for ref, found in world.objects.items()
        if MANAGED_BY in found["metadata"].get("labels", {}) and "ownerReferences" not in found["metadata"]
    ]  # fmt: skip
    assert [ref.kind for ref in free] in ([], ["PersistentVolumeClaim"])
    store = world.find("StatefulSet", "bilten-objects")
    assert store
    assert store["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete"


def test_sample_data_is_inserted_after_the_migration_where_it_is_wanted():
    for seed, spec in ((True, SAMPLES["development"]), (False, {**SAMPLES["development"], "config": {"seed": False}})):
        [job] = [found for found in manifests(spec) if found["kind"] == "Job"]
        pod = job["spec"]["template"]["spec"]
        runs = [container["args"] for container in [*pod.get("initContainers", []), *pod["containers"]]]
        assert runs == ([["migrate"], ["seed"]] if seed else [["migrate"]])
