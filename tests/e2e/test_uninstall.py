"""`helm uninstall` takes the pods and leaves the data; installed again, the instance finds it."""

from support.e2e_cluster import until
from support.e2e_images import PROJECT
from support.e2e_instance import Instance

OURS = "app.kubernetes.io/part-of=bilten"


def test_what_is_uninstalled_and_installed_again_finds_its_data(bilten: Instance, values: list[str]):
    cluster, namespace = bilten.cluster, bilten.namespace
    email = "stays@example.com"
    bilten.register(email)
    keys = bilten.part("secret", "keys")["data"]

    cluster.helm("uninstall", "bilten", "--wait", namespace=namespace)
    gone = "deployments,jobs,ingresses,configmaps,scheduledbackups.postgresql.cnpg.io"
    until("all but the data is gone", lambda: not cluster.list(gone, namespace, selector=OURS))
    assert not cluster.list("biltens", namespace)
    # Pods that end still answer until the ingress controller has noticed that their Ingress is gone.
    until("the way in is closed", lambda: bilten.ask("/readyz").status == 404)
    assert bilten.part("secret", "keys")["data"] == keys
    for kind, part in (("cluster.postgresql.cnpg.io", "db"), ("statefulset", "objects")):
        assert "ownerReferences" not in bilten.part(kind, part)["metadata"]

    cluster.helm("install", "bilten", str(PROJECT / "charts" / "bilten-instance"), *values, namespace=namespace)
    bilten.wait_ready()
    bilten.wait_answers()
    assert bilten.part("secret", "keys")["data"] == keys
    assert bilten.log_in(email).status == 200
    assert bilten.condition("StorageReady")["status"] == "True", "its buckets are known as its own"
