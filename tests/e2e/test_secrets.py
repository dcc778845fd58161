"""What is in Secrets is in no log, event, status or list of processes."""

import base64
import json

from support.e2e_instance import Instance
from support.e2e_names import SYSTEM

#: Keys of Secrets whose values are nobody's business. The rest are names and addresses.
PRIVATE = {"password", "secretKey", "tokenKeys", "uri", "jdbc-uri", "fqdn-uri", "pgpass", "ca.key", "tls.key"}

COMMAND_LINES = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"


def private(bilten: Instance) -> dict[str, str]:
    """What must be nowhere, by where it belongs."""
    found = {}
    for secret in bilten.cluster.list("secrets", bilten.namespace):
        for key, value in (secret.get("data") or {}).items():
            if key in PRIVATE:
                text = base64.b64decode(value).decode()
                where = f"{key} of Secret {secret['metadata']['name']}"
                if key == "tokenKeys":
                    text = json.loads(text)["keys"][0]["d"]
                found |= {where: text.strip(), f"{where}, encoded": value}
    return found


def test_what_is_in_secrets_is_told_nowhere(bilten: Instance):
    bilten.register("secretive@example.com")
    told = {"events": bilten.cluster.kubectl("get", "events", "--all-namespaces", "--output=yaml")}
    for kind in ("biltens", "configmaps", "deployments,statefulsets,jobs,pods", "clusters.postgresql.cnpg.io"):
        told[kind] = bilten.cluster.kubectl("get", kind, "--output=yaml", namespace=bilten.namespace)
    for namespace in (bilten.namespace, SYSTEM):
        for pod in bilten.cluster.list("pods", namespace):
            name = pod["metadata"]["name"]
            log = ("logs", name, "--all-containers", "--tail=-1")
            told[f"the log of {name}"] = bilten.cluster.kubectl(*log, namespace=namespace)
    for part in ("api", "worker"):
        shown = bilten.cluster.execute(
            f"deployment/bilten-{part}", "sh", "-c", COMMAND_LINES, namespace=bilten.namespace, container=part
        )
        assert "bilten" in shown
        told[f"the processes of the {part}"] = shown

    kept = private(bilten)
    assert {where.split(" of ")[0] for where in kept} >= {"password", "secretKey", "tokenKeys", "uri"}
    leaks = [f"{where} is in {place}" for where, text in kept.items() for place, shown in told.items() if text in shown]
    assert leaks == []
