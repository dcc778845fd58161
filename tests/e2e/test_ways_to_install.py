"""The operator is installed otherwise while an instance runs: for some namespaces, under another name, without Helm."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml
from support.e2e_cluster import Cluster, Object, until
from support.e2e_images import PROJECT
from support.e2e_instance import Instance
from support.e2e_names import CRD, FIRST, SYSTEM

CHART = str(PROJECT / "charts" / "bilten-operator")
WAIT = ("--wait", "--timeout=3m")
SHOP = "bilten-e2e-shop"


@contextmanager
def removed(bilten: Instance, operator: list[str]) -> Iterator[None]:
    """Without the tests' operator, which is back afterwards."""
    cluster = bilten.cluster
    cluster.helm("uninstall", "bilten-operator", "--wait", namespace=SYSTEM)
    try:
        yield
    finally:
        cluster.helm("install", "bilten-operator", CHART, *WAIT, "--take-ownership", *operator, namespace=SYSTEM)


def see_an_edit_acted_on(bilten: Instance, level: str) -> None:
    bilten.patch({"config": {"logLevel": level}})
    bilten.wait_ready()
    assert bilten.part("configmap", "settings")["data"]["BILTEN_LOG_LEVEL"] == level


def test_instances_outlive_their_operator_and_one_of_another_name_takes_them_over(
    bilten: Instance, operator: list[str]
):
    cluster = bilten.cluster
    with removed(bilten, operator):
        assert cluster.get("crd", CRD)
        assert bilten.ask("/readyz").status == 200
        cluster.helm("install", "another", CHART, *WAIT, "--take-ownership", *operator, namespace=SYSTEM)
        try:
            see_an_edit_acted_on(bilten, "warning")
        finally:
            cluster.helm("uninstall", "another", "--wait", namespace=SYSTEM)


def container(deployment: Object | None) -> Object:
    assert deployment
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_the_operator_is_installed_without_helm(bilten: Instance, operator: list[str]):
    cluster = bilten.cluster
    installed = container(cluster.get("deployment", "bilten-operator", SYSTEM))
    manifests = list(yaml.safe_load_all((PROJECT / "manifests" / "install.yaml").read_text()))
    deployment = next(found for found in manifests if found["kind"] == "Deployment")
    assert container(deployment)["image"].startswith("bilten/operator:")
    # The image of this checkout, and images of others that the cluster can pull.
    own = container(deployment) | {key: installed[key] for key in ("image", "env")}
    deployment["spec"]["template"]["spec"]["containers"] = [own]
    with removed(bilten, operator):
        try:
            cluster.apply(*manifests)
            cluster.kubectl("rollout", "status", "deployment/bilten-operator", "--timeout=120s", namespace=SYSTEM)
            see_an_edit_acted_on(bilten, "error")
        finally:
            ours = [found for found in manifests if found["kind"] not in {"Namespace", "CustomResourceDefinition"}]
            cluster.kubectl("delete", "--ignore-not-found", "--filename=-", stdin=yaml.safe_dump_all(ours))


@pytest.fixture
def shop(bilten: Instance, operator: list[str]) -> Iterator[Cluster]:
    """An operator for a namespace of its own, beside one that leaves this namespace alone."""
    cluster = bilten.cluster
    cluster.make_namespace(SHOP)
    try:
        cluster.helm("upgrade", "bilten-operator", CHART, *WAIT, *operator, "--set", f"watchNamespaces={{{FIRST}}}",
                     namespace=SYSTEM)  # fmt: skip
        cluster.helm("install", "bilten-operator", CHART, *WAIT, *operator, "--set", f"watchNamespaces={{{SHOP}}}",
                     "--set", "crds.create=false", namespace=SHOP)  # fmt: skip
        yield cluster
    finally:
        cluster.kubectl("delete", "biltens", "--all", namespace=SHOP)
        cluster.helm("uninstall", "bilten-operator", "--ignore-not-found", "--wait", namespace=SHOP)
        cluster.kubectl("delete", "namespace", SHOP)
        cluster.helm("upgrade", "bilten-operator", CHART, *WAIT, *operator, namespace=SYSTEM)


def may(cluster: Cluster, operators: str, namespace: str) -> bool:
    """Whether the operator of a namespace may read the Secrets of another."""
    asked = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{operators}:bilten-operator",
            "resourceAttributes": {"verb": "get", "resource": "secrets", "namespace": namespace},
        },
    }
    told = cluster.kubectl("create", "--filename=-", "--output=jsonpath={.status.allowed}", stdin=yaml.safe_dump(asked))
    return told == "true"


def test_operators_of_some_namespaces_leave_those_of_others_alone(shop: Cluster, bilten: Instance):
    sample: Object = yaml.safe_load((PROJECT / "manifests" / "samples" / "external.yaml").read_text())
    sample["metadata"]["namespace"] = SHOP
    shop.apply(sample)
    other = Instance(shop, bilten.ingress, SHOP, "bilten", "")
    waits = until(
        "the shop's operator says what it waits for", lambda: other.resource().get("status", {}).get("waitingFor")
    )
    assert waits["kind"] in {"Secret", "Gateway"}, waits
    see_an_edit_acted_on(bilten, "info")
    rights = {(one, two): may(shop, one, two) for one in (SYSTEM, SHOP) for two in (FIRST, SHOP)}
    assert rights == {(SYSTEM, FIRST): True, (SYSTEM, SHOP): False, (SHOP, FIRST): False, (SHOP, SHOP): True}
