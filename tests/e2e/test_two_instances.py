"""A second instance in another namespace, from the sample, with other choices; the operator dies while it comes up."""

from collections.abc import Callable, Iterator

import pytest
import yaml
from bilten.local.clamd import eicar
from support.documents import pdf
from support.e2e_cluster import Cluster, until
from support.e2e_files import Visitor, says_where
from support.e2e_images import PROJECT, Images
from support.e2e_instance import Instance
from support.e2e_names import SECOND, SYSTEM
from support.pictures import camera

HOST = "second.example.test"
VISITOR = "visitor@example.com"
SAMPLE = PROJECT / "manifests" / "samples" / "development.yaml"

DEBUGGER = "import socket; print(socket.create_connection(('127.0.0.1', 5678), 10).recv(99).decode())"


@pytest.fixture(scope="module")
def second(cluster: Cluster, first: Instance, images: Images) -> Iterator[Instance]:
    """The second instance, and three operators killed while it came up."""
    instance = Instance(cluster, first.ingress, SECOND, "bilten", HOST)
    sample = yaml.safe_load(SAMPLE.read_text())
    sample["metadata"]["namespace"] = SECOND
    sample["spec"]["image"] = images.development
    sample["spec"]["debugpy"] = True
    sample["spec"]["exposure"]["host"] = HOST
    sample["spec"]["objectStorage"]["publicEndpoint"] = f"http://files.{HOST}"
    sample["spec"]["database"]["managed"] = {"pooler": {}}
    sample["spec"]["deletionPolicy"] = "Delete"
    sample["spec"]["scanner"] = {"mode": "Shared"}
    cluster.make_namespace(SECOND)
    cluster.apply(sample)
    for kind in ("clusters.postgresql.cnpg.io", "jobs", "deployments.apps"):
        until(f"the first of its {kind} is there", made(cluster, kind))
        kill_operators(cluster)
    instance.wait_ready()
    instance.wait_answers()
    yield instance
    cluster.kubectl("delete", "biltens", "--all", namespace=SECOND)
    cluster.kubectl("delete", "namespace", SECOND)


def made(cluster: Cluster, kind: str) -> Callable[[], bool]:
    """Whether the operator has made one; CloudNativePG's are not labelled so."""
    selector = "app.kubernetes.io/managed-by=bilten-operator"
    return lambda: bool(cluster.list(kind, SECOND, selector=selector))


def kill_operators(cluster: Cluster) -> None:
    """All of them, as a power cut does."""
    selector = "--selector=app.kubernetes.io/name=bilten-operator"
    cluster.kubectl("delete", "pods", selector, "--force", "--grace-period=0", namespace=SYSTEM)


def test_an_instance_comes_up_though_the_operator_is_killed_again_and_again(second: Instance):
    assert second.condition("Ready")["status"] == "True"
    jobs = second.cluster.list("jobs", SECOND, selector="app.kubernetes.io/component=migration")
    assert len(jobs) == 1
    keys = second.part("secret", "keys")
    assert keys["metadata"].get("generation", 1) == 1
    assert second.revisions() == (1, 1), "the pods were made once"


def test_two_instances_share_nothing(second: Instance, bilten: Instance):
    assert not set(second.resource()["status"]["buckets"].values()) & set(
        bilten.resource()["status"]["buckets"].values()
    )
    for secret in ("keys", "s3", "objects-admin", "db-app"):
        one, other = second.part("secret", secret)["data"], bilten.part("secret", secret)["data"]
        private = {"password", "secretKey", "tokenKeys"} & one.keys()
        assert private
        assert all(one[key] != other[key] for key in private)
    second.register(VISITOR)
    assert bilten.log_in(VISITOR).status == 401
    answer = second.log_in(VISITOR)
    assert answer.status == 200
    token = answer.json["data"]["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert second.ask("/api/v1/auth/me", headers=headers).status == 200
    assert bilten.ask("/api/v1/auth/me", headers=headers).status == 401


def test_a_debugger_may_attach_in_development(second: Instance):
    told = second.cluster.execute("deployment/bilten-api", "python", "-c", DEBUGGER, namespace=SECOND)
    assert '"type": "event"' in told


def test_a_shared_scanner_looks_at_files_in_a_pod_of_its_own(second: Instance):
    visitor = Visitor.new(second)
    file = visitor.ended(visitor.upload(camera(), visibility="public")["id"])
    assert file["status"] == "clean"
    assert not says_where(visitor.fetch(file["url"]).content)
    document = pdf(eicar())
    letter = visitor.ended(visitor.upload(document, name="letter.pdf", media_type="application/pdf")["id"])
    assert letter["status"] == "infected"
    assert containers(second, "worker") == {"worker"}
    assert "clamd" in containers(second, "scanner")


def containers(instance: Instance, component: str) -> set[str]:
    pods = instance.cluster.list("pods", SECOND, selector=f"app.kubernetes.io/component={component}")
    return {container["name"] for pod in pods for container in pod["spec"]["containers"]}


def test_what_is_deleted_with_its_data_is_gone(second: Instance):
    second.cluster.kubectl("delete", "bilten", second.name, "--timeout=120s", namespace=SECOND)
    until("nothing is left", lambda: not left(second.cluster))


def left(cluster: Cluster) -> set[str]:
    """What is in the second namespace, but for what the cluster itself puts into each."""
    kinds = "deployments,statefulsets,jobs,secrets,configmaps,services,ingresses,persistentvolumeclaims,pods"
    return {one["metadata"]["name"] for one in cluster.list(kinds, SECOND)} - {"kube-root-ca.crt"}
