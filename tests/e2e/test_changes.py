"""What others change is undone, what the spec changes reaches the pods once; an operator's upgrade reaches none."""

import json
import time
import urllib.request

from support.e2e_cluster import until
from support.e2e_images import PROJECT
from support.e2e_instance import Instance
from support.e2e_names import SYSTEM

#: Long enough for a second rollout to have begun.
_SETTLED_S = 5
_OPERATORS = "app.kubernetes.io/name=bilten-operator"


def image_of(bilten: Instance) -> str:
    image: str = bilten.part("deployment", "api")["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


def set_image(bilten: Instance, image: str) -> None:
    bilten.cluster.kubectl("set", "image", "deployment/bilten-api", f"api={image}", namespace=bilten.namespace)


def test_what_others_change_is_undone(bilten: Instance):
    image = image_of(bilten)
    service = bilten.part("service", "api")["metadata"]["uid"]
    bilten.cluster.kubectl("delete", "service", "bilten-api", namespace=bilten.namespace)
    set_image(bilten, "example.com/somebody/elses:1")
    until("the image is the old one", lambda: image_of(bilten) == image, within_s=60)
    again = until("the Service is back", lambda: bilten.cluster.get("service", "bilten-api", bilten.namespace))
    assert again["metadata"]["uid"] != service
    bilten.wait_ready()
    bilten.wait_answers()
    told = until("it is told", lambda: bilten.events("DriftCorrected"))
    assert told == ["Undid a change to Deployment bilten-api."]


def test_what_others_change_is_only_told_where_the_policy_says_so(bilten: Instance):
    bilten.patch({"driftPolicy": "Report"})
    bilten.wait_ready()
    try:
        bilten.cluster.kubectl("scale", "deployment/bilten-worker", "--replicas=0", namespace=bilten.namespace)
        told = until("it is told", lambda: bilten.events("DriftReported"))
        assert "Deployment bilten-worker" in told[0]
        assert bilten.part("deployment", "worker")["spec"]["replicas"] == 0
    finally:
        bilten.patch({"driftPolicy": "Correct"})
    until("it is undone", lambda: bilten.part("deployment", "worker")["spec"]["replicas"] == 1, within_s=60)


def test_an_edit_and_a_changed_secret_roll_the_pods_once_each(bilten: Instance):
    api, worker = bilten.revisions()
    bilten.patch({"config": {"logLevel": "warning"}})
    bilten.wait_ready()
    assert bilten.revisions() == (api + 1, worker + 1)

    change = json.dumps({"stringData": {"secretKey": "another-key-that-signs-cursors-from-now-on"}})
    arguments = ("patch", "secret", "bilten-keys", "--type=merge", "--patch", change)
    bilten.cluster.kubectl(*arguments, namespace=bilten.namespace)
    until("the pods are renewed", lambda: bilten.revisions() == (api + 2, worker + 2), within_s=60)
    bilten.wait_ready()
    time.sleep(_SETTLED_S)
    assert bilten.revisions() == (api + 2, worker + 2)


def test_an_upgrade_of_the_operator_alone_restarts_nothing(bilten: Instance, operator: list[str]):
    before = generations(bilten)
    try:
        # Images that do not exist: a pod that was renewed would not come up.
        images = [f"images.{name}=example.com/none:1" for name in ("minio", "clamav")]
        upgrade(bilten, *operator, *(part for image in images for part in ("--set", image)))
        until("the new operator has looked at it", lambda: reconciled(bilten))
        time.sleep(_SETTLED_S)
        assert generations(bilten) == before
    finally:
        upgrade(bilten, *operator)
        until("the operator is back", lambda: reconciled(bilten))


def generations(bilten: Instance) -> dict[str, int]:
    """Those of all that has pods."""
    found = bilten.cluster.list("deployments,statefulsets,clusters.postgresql.cnpg.io", bilten.namespace)
    return {f"{one['kind']} {one['metadata']['name']}": one["metadata"]["generation"] for one in found}


def upgrade(bilten: Instance, *arguments: str) -> None:
    chart = str(PROJECT / "charts" / "bilten-operator")
    bilten.cluster.helm("upgrade", "bilten-operator", chart, "--wait", "--timeout=3m", *arguments, namespace=SYSTEM)


def reconciled(bilten: Instance) -> bool:
    """Whether an operator of the newest Deployment leads and has been through all instances."""
    lease = bilten.cluster.get("lease", "bilten-operator", SYSTEM)
    holder = ((lease or {}).get("spec", {}).get("holderIdentity") or "").rpartition("_")[0]
    pods = [pod["metadata"]["name"] for pod in bilten.cluster.list("pods", SYSTEM, selector=_OPERATORS)]
    if holder not in pods:
        return False
    with (
        bilten.cluster.forwarded(f"pod/{holder}", 8080, namespace=SYSTEM) as address,
        urllib.request.urlopen(f"{address}/metrics") as answer,  # noqa: S310 - http, of this test
    ):
        told = answer.read().decode()
    done = [line for line in told.splitlines() if line.startswith('bilten_operator_reconciles_total{outcome="ok"}')]
    return bool(done) and float(done[0].split()[-1]) >= len(bilten.cluster.list("biltens"))
