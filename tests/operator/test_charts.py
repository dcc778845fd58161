"""A real API server takes what the charts make, and refuses what they refuse."""

import pytest
from fixtures.cluster import Kubectl
from support.apiserver import Address
from support.charts import ENVIRONMENTS, INSTALL, MISTAKES, NAMESPACE, answered
from support.helm import INSTANCE, install, merged
from support.kube import Kube

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:bilten-operator"
TYPE = {"apiVersion": "bilten.io/v1alpha1", "kind": "BiltenInstance"}


@pytest.fixture
async def installed(kubectl: Kubectl, crds: Address) -> Kube:
    """The namespace of an operator that was installed without Helm."""
    kubectl("apply", "--server-side", "--validate=strict", "--filename", str(INSTALL), namespace=NAMESPACE)
    return Kube(crds, NAMESPACE)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
async def test_an_instance_of_each_environment_is_taken(environment: str, kube: Kube):
    release = install(INSTANCE, answered(environment), name="bilten", namespace=kube.namespace)
    made = await kube.create(release.one("BiltenInstance"))
    assert made.status == 201, made.body


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_the_chart_refuses_nothing_that_could_be_applied(mistake: str, kube: Kube):
    change, name, field = MISTAKES[mistake]
    spec = merged(answered("development"), change)["spec"]
    refused = await kube.create({**TYPE, "metadata": {"name": name}, "spec": spec})
    assert refused.status == 422
    assert any(place.endswith(field) or field in message for place, message in refused.causes), refused.causes


async def test_null_means_to_the_chart_what_it_means_to_the_api_server(kube: Kube):
    values = merged(answered("development"), {"spec": {"exposure": None, "objectStorage": {"publicEndpoint": None}}})
    as_it_is = await kube.create({**TYPE, "metadata": {"name": "as-it-is"}, "spec": values["spec"]})
    by_helm = await kube.create(
        install(INSTANCE, values, name="by-helm").one("BiltenInstance") | {"metadata": {"name": "by-helm"}}
    )
    assert (as_it_is.status, by_helm.status) == (201, 201), as_it_is.body
    assert as_it_is.body["spec"] == by_helm.body["spec"]


async def test_the_operators_pod_is_let_into_its_restricted_namespace(installed: Kube):
    async with installed as kube:
        path = f"apis/apps/v1/namespaces/{NAMESPACE}/deployments/bilten-operator"
        template = (await kube.request("GET", path)).body["spec"]["template"]
        pod = {
            "metadata": {"generateName": "operator-", "labels": template["metadata"]["labels"]},
            "spec": template["spec"],
        }
        answer = await kube.request("POST", f"api/v1/namespaces/{NAMESPACE}/pods", pod, dryRun="All")
        assert answer.status == 201, answer.body


@pytest.mark.parametrize(
    ("verb", "group", "resource", "namespace", "allowed"),
    [
        ("patch", "bilten.io", "bilteninstances/status", "shop", True),
        ("create", "apps", "deployments", "shop", True),
        ("get", "storage.k8s.io", "storageclasses", "", True),
        ("create", "coordination.k8s.io", "leases", NAMESPACE, True),
        ("create", "coordination.k8s.io", "leases", "shop", False),
        ("create", "bilten.io", "bilteninstances", "shop", False),
        ("delete", "", "secrets", "shop", False),
        ("create", "rbac.authorization.k8s.io", "rolebindings", NAMESPACE, False),
        ("patch", "apiextensions.k8s.io", "customresourcedefinitions", "", False),
        ("list", "", "nodes", "", False),
    ],
)
async def test_its_account_may_do_its_work_only(
    verb: str, group: str, resource: str, namespace: str, *, allowed: bool, installed: Kube
):
    plural, _, part = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": plural, "subresource": part, "namespace": namespace}
    body = {"spec": {"user": ACCOUNT, "resourceAttributes": asked}}
    async with installed as kube:
        answer = await kube.request("POST", "apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    assert answer.body["status"]["allowed"] is allowed
