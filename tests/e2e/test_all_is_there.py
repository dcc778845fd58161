"""`helm install` of both charts: everything is there, reached through the ingress, and restricted."""

import os
import re
import subprocess
import sys
import urllib.request

from support.e2e_cluster import RESTRICTED
from support.e2e_images import PROJECT
from support.e2e_instance import Instance
from support.e2e_names import FILES, FIRST, SYSTEM

COMPONENT = "app.kubernetes.io/component"
CNPG = "cnpg.io/cluster"


def test_both_charts_come_up_with_the_values_of_development(bilten: Instance):
    status = bilten.resource()["status"]
    told = {found["type"]: found["status"] for found in status["conditions"]}
    wanted = ("Ready", "DatabaseReady", "StorageReady", "MigrationsApplied", "ApiAvailable", "ScannerReady")
    assert {kind: told[kind] for kind in wanted} == dict.fromkeys(wanted, "True")
    assert status["observedGeneration"] == bilten.resource()["metadata"]["generation"]
    assert "waitingFor" not in status
    header, row = bilten.cluster.kubectl("get", "biltens", namespace=FIRST).splitlines()
    assert header.split() == ["NAME", "READY", "PHASE", "VERSION", "DATABASE", "STORAGE", "LASTBACKUP", "AGE"]
    assert row.split()[:3] == ["bilten", "True", "Ready"]


def test_every_pod_passes_an_admission_that_enforces_restricted(bilten: Instance):
    cluster = bilten.cluster
    for name in (FIRST, SYSTEM):
        found = cluster.get("namespace", name)
        assert found
        assert found["metadata"]["labels"].items() >= RESTRICTED.items()
    labels = [pod["metadata"]["labels"] for pod in cluster.list("pods", FIRST)]
    assert {found.get(COMPONENT) or found[CNPG] for found in labels} >= {"api", "worker", "migration", "objects"}
    assert any(found.get(CNPG) == "bilten-db" for found in labels)
    told = [event.get("message", "") for name in (FIRST, SYSTEM) for event in cluster.list("events", name)]
    assert told
    assert [message for message in told if "violates PodSecurity" in message] == []


def test_the_whole_contract_is_kept_through_the_ingress(bilten: Instance):
    walk = [sys.executable, "-m", "pytest", "-q", "--confcutdir=tests/contract", "-p", "no:cacheprovider"]
    # What is mailed can be read on the pod itself only.
    with bilten.cluster.forwarded("service/bilten-api", 80, namespace=FIRST) as mailbox:
        told = {
            "BILTEN_CONTRACT_URL": f"http://{bilten.host}",
            "BILTEN_CONTRACT_ADDRESS": f"{bilten.ingress.host}:{bilten.ingress.port}",
            "BILTEN_CONTRACT_MAILBOX": mailbox,
        }
        done = subprocess.run(
            [*walk, "tests/contract/test_contract_walk.py"],
            cwd=PROJECT, env={**os.environ, **told}, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 150


def test_metrics_and_mails_are_shown_to_nobody_through_the_ingress(bilten: Instance):
    for path in ("/metrics", "/dev/mail", "/dev/mail.json"):
        assert bilten.ask(path).status == 404, path
    with bilten.cluster.forwarded("service/bilten-api", 80, namespace=FIRST) as pod:
        for path in ("/metrics", "/dev/mail"):
            with urllib.request.urlopen(pod + path) as answer:  # noqa: S310 - http, of this test
                assert answer.status == 200


def test_browsers_reach_the_object_store_on_a_host_of_its_own(bilten: Instance, page_port: int):
    origin = f"http://127.0.0.1:{page_port}"
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    media = bilten.resource()["status"]["buckets"]["media"]
    answer = bilten.ingress.ask(FILES, f"/{media}/picture", method="OPTIONS", headers=headers)
    assert answer.headers.get("access-control-allow-origin") == origin, answer
    assert bilten.ingress.ask(FILES, f"/{media}/picture").status == 403
    assert bilten.ingress.ask(FILES, "/readyz").status != 200, "the API is on another host"
