"""The operator's chart gives it what it needs, the rights that it was written for, and no more."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from bilten_operator.cluster import rbac
from bilten_operator.generate import crd
from bilten_operator.settings import Settings
from support.charts import NAMESPACE, VALUES, values
from support.helm import OPERATOR, Object, Refused, Release, install, problems

EVERYTHING = values(VALUES / "operator-everything.yaml")
DEFAULTS = values(OPERATOR / "values.yaml")
SCHEMA = json.loads((OPERATOR / "values.schema.json").read_text())

#: Settings that no value sets, and why.
DECIDED = {"host": "every address of the pod", "port": "the chart's probes and Service ask there"}
#: Values, and the settings whose bounds they share.
BOUNDED = {"workers": "workers", "resyncSeconds": "resync_s", "leaseSeconds": "lease_s"}


def default(**more: Any) -> Release:
    return install(OPERATOR, more, namespace=NAMESPACE)


def everything(**more: Any) -> Release:
    return install(OPERATOR, {**EVERYTHING, **more}, name="tenants", namespace="platform")


def pod(release: Release) -> Object:
    spec: Object = release.one("Deployment")["spec"]["template"]["spec"]
    return spec


def environment(release: Release) -> dict[str, Object]:
    return {variable.pop("name"): variable for variable in pod(release)["containers"][0]["env"]}


def settings(release: Release, monkeypatch: pytest.MonkeyPatch) -> Settings:
    downward = {"metadata.namespace": "its-namespace", "metadata.name": "its-name"}
    for name, variable in environment(release).items():
        monkeypatch.setenv(
            name, variable.get("value") or downward[variable["valueFrom"]["fieldRef"]["fieldPath"]]
        )  # fmt: skip
    return Settings()


def rules(manifest: Object) -> list[Object]:
    found: list[Object] = manifest["rules"]
    return found


@pytest.mark.parametrize("given", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_lint_finds_nothing(given: Object):
    assert problems(OPERATOR, given) == []


def test_the_type_is_the_one_of_the_operator_and_outlives_the_release():
    (found,) = default().of("CustomResourceDefinition")
    assert found["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert found == crd.definition()


def test_where_the_type_is_somebody_elses_neither_it_nor_the_rights_of_its_users_are_installed():
    release = default(crds={"create": False})
    assert not release.of("CustomResourceDefinition")
    assert [found["metadata"]["name"] for found in release.of("ClusterRole")] == ["bilten-system-bilten-operator"]


def test_who_may_edit_a_namespace_may_edit_its_instances_but_not_what_the_operator_says_of_them():
    granted = {}
    for role in default().of("ClusterRole"):
        for label in role["metadata"]["labels"]:
            if "aggregate-to" in label:
                (granted[label.rpartition("-")[2]],) = rules(role)
    assert granted["view"]["verbs"] == ["get", "list", "watch"]
    assert set(granted["edit"]["verbs"]) == {"create", "delete", "deletecollection", "patch", "update"}
    assert {tuple(rule["resources"]) for rule in granted.values()} == {("bilteninstances",)}


def test_for_all_namespaces_it_has_its_rules_everywhere():
    release = default()
    (own,) = [role for role in release.of("ClusterRole") if role["metadata"]["name"] == "bilten-system-bilten-operator"]
    assert rules(own) == [*rbac.cluster_rules(), *rbac.instance_rules()]
    assert {role["metadata"]["namespace"] for role in release.of("Role")} == {NAMESPACE}


def test_for_some_namespaces_it_has_its_rules_there_and_elsewhere_reads_classes_only():
    release = everything()
    assert rules(release.one("ClusterRole")) == rbac.cluster_rules()
    there = {role["metadata"]["namespace"]: rules(role) for role in release.of("Role")}
    lease = there.pop("platform")
    assert there == {"tenant-a": rbac.instance_rules(), "tenant-b": rbac.instance_rules()}
    assert lease == rbac.lease_rules("tenants-bilten-operator")


def test_every_role_is_bound_to_its_account_and_nothing_else_is():
    for release in (default(), everything(), default(watchNamespaces=[NAMESPACE])):
        account = release.one("ServiceAccount")["metadata"]
        users = {"view", "edit"}
        roles = sorted(
            (role["kind"], role["metadata"].get("namespace"), role["metadata"]["name"])
            for role in [*release.of("Role"), *release.of("ClusterRole")]
            if role["metadata"]["name"].rpartition("-")[2] not in users
        )
        assert len(set(roles)) == len(roles)
        bound = []
        for binding in [*release.of("RoleBinding"), *release.of("ClusterRoleBinding")]:
            assert binding["subjects"] == [
                {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
            ]
            bound.append((binding["roleRef"]["kind"], binding["metadata"].get("namespace"), binding["roleRef"]["name"]))
        assert sorted(bound) == roles
        assert pod(release)["serviceAccountName"] == account["name"]


def test_the_defaults_start_an_operator_of_all_namespaces(monkeypatch: pytest.MonkeyPatch):
    read = settings(default(), monkeypatch)
    assert (read.namespace, read.identity, read.lease_name) == ("its-namespace", "its-name", "bilten-operator")
    assert read.watch_namespaces == ()
    assert read.minio_image == DEFAULTS["images"]["minio"]
    assert read.clamav_image == DEFAULTS["images"]["clamav"]
    assert read.postgres_image is None
    for field in ("log_level", "workers", "resync_s", "lease_s", "cnpg_namespace"):
        assert getattr(read, field) == Settings.model_fields[field].default, field


def test_every_value_reaches_the_operator(monkeypatch: pytest.MonkeyPatch):
    read = settings(everything(), monkeypatch)
    images = EVERYTHING["images"]
    assert read.model_dump(exclude=set(DECIDED)) == {
        "namespace": "its-namespace", "identity": "its-name", "watch_namespaces": ("tenant-a", "tenant-b"),
        "log_level": "DEBUG", "workers": 4, "resync_s": 60, "lease_name": "tenants-bilten-operator", "lease_s": 30,
        "minio_image": images["minio"], "clamav_image": images["clamav"], "postgres_image": images["postgres"],
        "image_pull_secrets": ("registry", "other"), "cnpg_namespace": "databases",
    }  # fmt: skip


def test_every_setting_is_set_by_the_chart_or_decided():
    told = {name.removeprefix("BILTEN_OPERATOR_").lower() for name in environment(everything())}
    assert told == Settings.model_fields.keys() - DECIDED.keys()


@pytest.mark.parametrize("value", BOUNDED)
def test_helm_refuses_the_numbers_that_the_operator_would_refuse(value: str):
    bounds = Settings.model_json_schema()["properties"][BOUNDED[value]]
    assert SCHEMA["properties"][value] == {
        key: bounds[key] for key in ("type", "minimum", "maximum") if key in bounds
    }  # fmt: skip


def test_helm_knows_the_operators_log_levels():
    for level in SCHEMA["properties"]["logLevel"]["enum"]:
        assert Settings(minio_image="", clamav_image="", log_level=level).log_level == level


def test_probes_service_and_policy_meet_the_port_that_the_operator_listens_on():
    release = everything()
    (container,) = pod(release)["containers"]
    (port,) = container["ports"]
    assert port == {"name": "http", "containerPort": Settings.model_fields["port"].default}
    assert {container[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")} == {"http"}
    (served,) = release.one("Service")["spec"]["ports"]
    assert served["targetPort"] == "http"
    assert release.one("ServiceMonitor")["spec"]["endpoints"][0]["port"] == served["name"]
    assert release.one("NetworkPolicy")["spec"]["ingress"][0]["ports"] == [{"port": "http", "protocol": "TCP"}]


def test_a_service_of_its_name_does_not_change_its_settings():
    # Kubernetes would set BILTEN_OPERATOR_PORT=tcp://..., which the operator reads as its port.
    assert pod(default())["enableServiceLinks"] is False


def test_one_pod_alone_may_be_evicted():
    assert default().of("PodDisruptionBudget")
    assert not default(replicas=1).of("PodDisruptionBudget")


def test_an_image_is_named_by_its_digest_where_one_is_given():
    assert pod(default())["containers"][0]["image"] == "bilten/operator:0.1.0"
    named = pod(everything())["containers"][0]["image"]
    assert named == "registry.example.com/bilten/operator:1.2.3@sha256:" + "0" * 64


def test_what_has_no_name_for_prometheus_and_no_policy_is_not_made():
    kinds = {manifest["kind"] for manifest in default().manifests}
    assert not {"ServiceMonitor", "NetworkPolicy"} & kinds


def test_everyone_may_read_the_metrics_where_the_policy_names_nobody():
    policy = default(networkPolicy={"enabled": True}).one("NetworkPolicy")
    assert "from" not in policy["spec"]["ingress"][0]


def test_the_notes_say_what_to_look_at():
    assert "kubectl --namespace bilten-system rollout status deployment/bilten-operator" in default().notes
    assert "of all namespaces" in default().notes
    assert "1 pod of" in everything().notes
    assert "of tenant-a, tenant-b" in everything().notes


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"replica": 1}, "at '': additional properties 'replica' not allowed"),
        ({"replicas": 0}, "at '/replicas': minimum: got 0, want 1"),
        ({"image": {"repo": "x"}}, "at '/image': additional properties 'repo' not allowed"),
        ({"image": {"tag": "v1@sha256:0"}}, "at '/image/tag'"),
        ({"image": {"digest": "0" * 64}}, "at '/image/digest'"),
        ({"images": {"minio": ""}}, "at '/images/minio'"),
        ({"images": {"clamav": "with space"}}, "at '/images/clamav'"),
        ({"watchNamespaces": "a"}, "at '/watchNamespaces': got string, want array"),
        ({"watchNamespaces": ["a", "a"]}, "at '/watchNamespaces'"),
        ({"watchNamespaces": ["A"]}, "at '/watchNamespaces/0'"),
        ({"imagePullSecrets": ["registry"]}, "at '/imagePullSecrets/0': got string, want object"),
        ({"logLevel": "debug"}, "value must be one of 'DEBUG', 'INFO', 'WARNING', 'ERROR'"),
        ({"leaseSeconds": "15"}, "at '/leaseSeconds': got string, want integer"),
        ({"resources": {"limits": {"mem": "1"}}}, "at '/resources/limits': additional properties 'mem' not allowed"),
        ({"labels": {"app.kubernetes.io/name": "x"}}, "invalid propertyName 'app.kubernetes.io/name'"),
        ({"networkPolicy": {"metricsFrom": [{}]}}, "at '/networkPolicy/metricsFrom/0'"),
        ({"tolerations": [{"effect": "NoRun"}]}, "at '/tolerations/0/effect'"),
    ],
)
def test_what_is_not_a_value_is_refused_by_its_place(given: Object, told: str):
    with pytest.raises(Refused) as refused:
        default(**given)
    assert told in str(refused.value)


def test_every_value_has_a_place_in_the_schema_and_every_place_a_value():
    def places(schema: Object) -> Iterator[str]:
        for name, part in schema.get("properties", {}).items():
            yield from (f"{name}.{below}" for below in ("", *places(part)))

    def held(given: Object) -> Iterator[str]:
        for name, part in given.items():
            yield from (f"{name}.{below}" for below in ("", *(held(part) if isinstance(part, dict) else ())))

    amounts = {place for place in held(DEFAULTS) if place.startswith(("resources.limits.", "resources.requests."))}
    assert set(places(SCHEMA)) - {"global."} == set(held(DEFAULTS)) - amounts | {
        "resources.limits.",
        "resources.requests.",
    }
