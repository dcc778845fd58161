"""`helm upgrade` adds backups to an S3 elsewhere, and a mirror of virus signatures, to an instance that runs."""

import base64

import pytest
from support.e2e_cluster import until
from support.e2e_elsewhere import Elsewhere
from support.e2e_images import PROJECT
from support.e2e_instance import Instance

ACCOUNT = "backups-elsewhere"
SIGNATURES = "house.ndb"

#: One file through clamd's socket, as its neighbour in the pod sends it; the answer, without the zero at its end.
SCAN = """
import base64, socket, struct, sys
clamd = socket.socket(socket.AF_UNIX)
clamd.connect("/run/clamav/clamd.sock")
content = base64.b64decode(sys.argv[1])
command = b"zINSTREAM\\0" + struct.pack("!I", len(content)) + content + struct.pack("!I", 0) if content else b"zPING\\0"
clamd.sendall(command)
print(clamd.makefile("rb").read().decode().rstrip("\\0"))
"""


@pytest.fixture(scope="module")
def furnished(first: Instance, elsewhere: Elsewhere, values: list[str]) -> Instance:
    """The first instance, upgraded."""
    elsewhere.give_account(first.namespace, ACCOUNT)
    elsewhere.publish(SIGNATURES, signature("First", "the first thing we do not want"))
    settings = {
        "spec.backup.objectStorage.endpoint": elsewhere.store,
        "spec.backup.objectStorage.secretRef.name": ACCOUNT,
        "spec.scanner.mirror": elsewhere.mirror,
        "spec.scanner.signatures": f"{{{SIGNATURES}}}",
    }
    more = [part for item in settings.items() for part in ("--set", "=".join(item))]
    chart = str(PROJECT / "charts" / "bilten-instance")
    first.cluster.helm("upgrade", "bilten", chart, *values, *more, namespace=first.namespace)
    first.wait_ready()
    return first


def signature(name: str, text: str) -> str:
    """A line of a file of signatures."""
    return f"Bilten.{name}:0:*:{text.encode().hex()}\n"


def scan(bilten: Instance, text: str) -> str:
    """What clamd says of a file with this text; of none, to a PING."""
    told = base64.b64encode(text.encode()).decode()
    return bilten.cluster.execute(
        "deployment/bilten-worker", "python", "-c", SCAN, told, namespace=bilten.namespace, container="worker"
    ).strip()


@pytest.mark.usefixtures("bilten")
def test_a_backup_reaches_the_store_elsewhere_and_is_told(furnished: Instance, elsewhere: Elsewhere):
    told = until("a backup is told", lambda: furnished.resource()["status"].get("backup", {}).get("lastSuccessful"))
    until("backups are healthy", lambda: furnished.condition("BackupHealthy").get("status") == "True")
    column = furnished.cluster.kubectl(
        "get", "biltens", "bilten", "--output=jsonpath={.status.backup.lastSuccessful}", namespace=furnished.namespace
    )
    assert column == told
    bucket = furnished.resource()["status"]["buckets"]["backup"]
    objects = elsewhere.objects(bucket)
    assert any(name.endswith("backup.info") for name in objects), objects
    assert any("/wals/" in name for name in objects), objects


@pytest.mark.usefixtures("bilten")
def test_the_scanner_beside_the_worker_takes_a_new_signature_from_the_mirror(furnished: Instance, elsewhere: Elsewhere):
    assert scan(furnished, "") == "PONG"
    until("the first signature is known", lambda: "Bilten.First" in scan(furnished, "the first thing we do not want"))
    assert scan(furnished, "the second thing we do not want") == "stream: OK"

    second = signature("Second", "the second thing we do not want")
    elsewhere.publish(SIGNATURES, signature("First", "the first thing we do not want") + second)
    wake = ("kill", "-USR1", "1")  # it asks every half an hour by itself
    furnished.cluster.execute("deployment/bilten-worker", *wake, namespace=furnished.namespace, container="freshclam")
    until("the new signature is known", lambda: "Second" in scan(furnished, "the second thing we do not want"))
    assert scan(furnished, "a harmless thing") == "stream: OK"
    assert furnished.condition("ScannerReady")["status"] == "True"
