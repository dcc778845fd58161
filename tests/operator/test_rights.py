"""With the rights that it is given the operator does all it has to, and can do nothing else."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from bilten_operator.cluster import rbac
from bilten_operator.plan import changes
from kubernetes.aio.client import ApiClient, Configuration
from support.apiserver import Address
from support.clients import PATIENCE, client_of
from support.instances import EXTERNAL, instance
from support.kube import Kube
from support.lives import Mortal, World

Asks = Callable[..., Awaitable[bool]]

RBAC = "apis/rbac.authorization.k8s.io/v1"


@pytest.fixture
async def user(kube: Kube) -> str:
    """Somebody with the operator's rights in the test's namespace, and nowhere else."""
    name = f"operator-{uuid.uuid4().hex[:8]}"
    group = "rbac.authorization.k8s.io"
    subjects = [{"kind": "User", "name": name, "apiGroup": group}]
    rules = [*rbac.instance_rules(), *rbac.lease_rules("bilten-operator")]
    for kind, scope, granted in (
        ("Role", f"namespaces/{kube.namespace}/", rules), ("ClusterRole", "", rbac.cluster_rules())
    ):  # fmt: skip
        body: dict[str, Any] = {"metadata": {"name": name}, "rules": granted}
        made = await kube.request("POST", f"{RBAC}/{scope}{kind.lower()}s", body)
        assert made.status == 201, made.body
        ref = {"kind": kind, "name": name, "apiGroup": group}
        body = {"metadata": {"name": name}, "subjects": subjects, "roleRef": ref}
        made = await kube.request("POST", f"{RBAC}/{scope}{kind.lower()}bindings", body)
        assert made.status == 201, made.body
    return name


@pytest.fixture
def may(kube: Kube, user: str) -> Asks:
    """Whether the operator may do something."""

    async def ask(verb: str, group: str, resource: str, *, namespace: str = kube.namespace, name: str = "") -> bool:
        asked = {"verb": verb, "group": group, "resource": resource, "namespace": namespace, "name": name}
        body = {"spec": {"user": user, "resourceAttributes": asked}}
        answer = await kube.request("POST", "apis/authorization.k8s.io/v1/subjectaccessreviews", body)
        allowed: bool = answer.body["status"]["allowed"]
        return allowed

    return ask


@pytest.fixture
async def confined(stubbed: Address, user: str) -> AsyncIterator[Mortal]:
    """The operator's client with no more rights than that."""
    settings = Configuration(host=stubbed.url)
    settings.ssl_ca_cert = stubbed.ca
    settings.api_key["BearerToken"] = f"Bearer {stubbed.token}"
    async with ApiClient(settings, header_name="Impersonate-User", header_value=user) as api:
        yield Mortal(api, PATIENCE)


async def test_they_are_enough_for_a_gateway_of_another_namespace(confined: Mortal, kube: Kube, stubbed: Address):
    exposure = {"mode": "Gateway", "host": "api.example.com", "gateway": {"name": "web", "namespace": "kube-system"}}
    async with client_of(stubbed.url, stubbed) as calm:
        world = World(confined, calm, kube.namespace)
        await kube.create(instance(objectStorage=EXTERNAL, exposure=exposure))
        await world.rest()
    assert (await kube.get("bilten"))["status"]["waitingFor"]["kind"]


async def test_they_are_enough_to_make_change_and_delete_an_instance(confined: Mortal, kube: Kube, stubbed: Address):
    keys = {"accessKey": "access", "secretKey": "secret-key"}
    await kube.request(
        "POST", f"api/v1/namespaces/{kube.namespace}/secrets", {"metadata": {"name": "s3"}, "stringData": keys}
    )
    ingress = {"mode": "Ingress", "host": "api.example.com", "className": "not-there"}
    autoscaled = {"autoscaling": {"minReplicas": 2, "maxReplicas": 3}}
    spec = {"objectStorage": EXTERNAL, "backup": {"schedule": "30 1 * * *"}, "deletionPolicy": "Delete"}
    async with client_of(stubbed.url, stubbed) as calm:
        world = World(confined, calm, kube.namespace)
        await kube.create(instance(**spec, exposure={"mode": "Ingress", "host": "api.example.com"}))
        await world.rest()
        assert (await world.state())["status"]["phase"] == "Ready"
        unexposed = {"mode": "None", "host": None, "className": None}
        for change in ({"exposure": ingress}, {"exposure": unexposed}, {"api": autoscaled}):
            answer = await kube.patch("bilten", {"spec": change})
            assert answer.status == 200, answer.body
            await world.rest()
        await kube.request("DELETE", f"{kube.instances}/bilten")
        await world.rest()
        assert (await world.state())["finalizers"] == "gone"


@pytest.mark.parametrize(
    ("verb", "group", "resource"),
    [
        ("get", "", "secrets"),
        ("list", "", "secrets"),
        ("create", "apps", "deployments"),
        ("patch", "bilten.io", "bilteninstances/status"),
        ("list", "bilten.io", "bilteninstances"),
    ],
)
async def test_what_it_may_where_it_watches_it_may_nowhere_else(may: Asks, verb: str, group: str, resource: str):
    assert await may(verb, group, resource)
    assert not await may(verb, group, resource, namespace="kube-system")
    assert not await may(verb, group, resource, namespace="")


@pytest.mark.parametrize(
    ("verb", "group", "resource"),
    [
        ("delete", "", "secrets"),
        ("delete", "", "persistentvolumeclaims"),
        ("create", "", "persistentvolumeclaims"),
        ("delete", "apps", "statefulsets"),
        ("delete", "bilten.io", "bilteninstances"),
        ("update", "bilten.io", "bilteninstances"),
        ("create", "bilten.io", "bilteninstances"),
        ("create", "", "pods"),
        ("create", "", "pods/exec"),
        ("delete", "", "pods"),
        ("get", "", "nodes"),
        ("get", "", "namespaces"),
        ("create", "", "serviceaccounts/token"),
        ("patch", "", "serviceaccounts"),
        ("list", "", "serviceaccounts"),
        ("get", "postgresql.cnpg.io", "backups"),
        ("update", "bilten.io", "bilteninstances/finalizers"),
        ("create", "rbac.authorization.k8s.io", "rolebindings"),
        ("escalate", "rbac.authorization.k8s.io", "roles"),
        ("impersonate", "", "users"),
        ("update", "coordination.k8s.io", "leases"),
    ],
)
async def test_it_may_not(may: Asks, verb: str, group: str, resource: str):
    assert not await may(verb, group, resource)


async def test_of_leases_it_may_renew_its_own(may: Asks):
    assert await may("update", "coordination.k8s.io", "leases", name="bilten-operator")


def test_it_may_delete_what_plans_delete():
    assert changes._PRUNED <= rbac.DELETED  # noqa: SLF001 - the list that this one must follow
