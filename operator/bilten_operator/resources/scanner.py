"""ClamAV: clamd, and freshclam beside it that brings new signatures.

Both run on a volume that starts with the signatures in the image, so that a pod can scan before it ever reached a
mirror. Whenever they change they are stamped: clamd tells which it has of ClamAV's own only.
"""

from typing import Any

from bilten_operator.api.scanner import OFFICIAL
from bilten_operator.resources import pods, uploads
from bilten_operator.resources.instance import Instance, Manifest
from bilten_operator.resources.operator_config import OperatorConfig
from bilten_operator.resources.settings import CLAMD_PORT, CLAMD_SOCKET, port_of

COMPONENT = "scanner"
#: User and group of the image.
_USER, _GROUP = 100, 101
_UPSTREAM = "database.clamav.net"
_CONFIGURATION = "/etc/bilten-clamav"
_SIGNATURES = "/var/lib/clamav"
_TMP = "scanner-tmp"
_STAMP = "stamp.sh"
_CONFIGURATION_MOUNT = {"name": "clamav-configuration", "mountPath": _CONFIGURATION, "readOnly": True}
_SOCKET_FOLDER = CLAMD_SOCKET.rpartition("/")[0]

#: What a signature among the others finds, and nothing else: the name of it is the stamp. The service scans these bytes
#: to learn which signatures are loaded, so it has the same here.
PROBE = "6cd4a6f6cc34efaf7a7e09efa19d1d4c6191635d550a3793d8ee277946314754e22dd2cf72a369f034217445b63b3e57"

#: For the sh of a small image; freshclam runs it when it has brought something. Without signatures there is no stamp,
#: else clamd would start with that alone.
_SCRIPT = f"""\
# stamp.sh FOLDER [CONFIGURATION]: stamp the signatures in FOLDER, and have clamd load them.
set -eu
export LC_ALL=C
cd "$1"
set -- "${{2:-}}"
newest=0
for file in *; do
  case "$file" in
    bilten-stamp.ndb | *.dat | *.new) continue ;;
  esac
  [ -f "$file" ] || continue
  set -- "$@" "$file"
  seconds=$(stat -c %Y "$file")
  [ "$seconds" -le "$newest" ] || newest=$seconds
done
configuration=$1
shift
[ $# -gt 0 ] || {{ rm -f bilten-stamp.ndb; exit 0; }}
digest=$(sha256sum -- "$@" | sha256sum | cut -c 1-16)
echo "Bilten.Signatures.$newest.$digest:0:*:{PROBE}" >.bilten-stamp.new
mv .bilten-stamp.new bilten-stamp.ndb
[ -z "$configuration" ] || timeout 60 clamdscan --config-file="$configuration" --reload
"""

#: clamd holds all signatures in memory, more than a gigabyte of upstream's.
_RESOURCES = {
    "development": ("50m", "128Mi", "3Gi"),
    "staging": ("100m", "1536Mi", "3Gi"),
    "production": ("250m", "1536Mi", "3Gi"),
}


def configuration(instance: Instance) -> Manifest:
    """The ConfigMap with clamd.conf and freshclam.conf."""
    shared = instance.spec.scanner.mode == "Shared"
    listen = [f"TCPSocket {CLAMD_PORT}", "TCPAddr 0.0.0.0"] if shared else []
    clamd = [
        "Foreground yes",
        "LogTime yes",
        f"DatabaseDirectory {_SIGNATURES}",
        "TemporaryDirectory /tmp",
        f"LocalSocket {CLAMD_SOCKET}",
        # The worker runs as another user of the same pod.
        "LocalSocketMode 666",
        "FixStaleSocket yes",
        *listen,
        *uploads.scanner_limits(instance),
        # What it did not look into it must not call OK.
        "AlertExceedsMax yes",
        "AlertEncrypted yes",
        # Scans wait for a few seconds while signatures are read; twice the memory for it would be worse.
        "ConcurrentDatabaseReload no",
        # Before it does so it waits for its threads to end, those included that have nothing to do: 30 s by default.
        "IdleTimeout 1",
        # For signatures of pictures in phishing mails it decodes each whole; nobody is ever served what was uploaded.
        "ScanImageFuzzyHash no",
        # Where freshclam's word did not reach it.
        "SelfCheck 60",
    ]
    mirror = (instance.spec.scanner.mirror or "").rstrip("/")
    wanted = instance.spec.scanner.signatures or OFFICIAL
    freshclam = [
        "Foreground yes",
        f"DatabaseDirectory {_SIGNATURES}",
        *([f"PrivateMirror {mirror}"] if mirror else [f"DatabaseMirror {_UPSTREAM}"]),
        *(f"ExcludeDatabase {name}" for name in OFFICIAL if name not in wanted),
        *(f"DatabaseCustomURL {mirror}/{name}" for name in wanted if name not in OFFICIAL),
        # A mirror of one's own is asked often: nothing but a date is compared.
        f"Checks {48 if mirror else 12}",
        # Not NotifyClamd as well, which comes before: clamd would read everything twice.
        f"OnUpdateExecute sh {_CONFIGURATION}/{_STAMP} {_SIGNATURES} {_CONFIGURATION}/clamd.conf",
        # Loading them once more to test them takes the memory of another clamd.
        "TestDatabases no",
    ]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": instance.metadata(instance.scanner, COMPONENT),
        "data": {
            "clamd.conf": "\n".join([*clamd, ""]),
            "freshclam.conf": "\n".join([*freshclam, ""]),
            _STAMP: _SCRIPT,
        },
    }


def volumes(instance: Instance) -> list[Manifest]:
    """What a pod with a scanner needs."""
    return [
        {"name": "signatures", "emptyDir": {}},
        # Not the worker's /tmp: what unpacks strangers' files has no business with what others put there.
        {"name": _TMP, "emptyDir": {"sizeLimit": uploads.scanner_room(instance)}},
        {"name": "clamd-socket", "emptyDir": {}},
        {"name": "clamav-configuration", "configMap": {"name": instance.scanner}},
    ]


def socket_mount() -> Manifest:
    """Where the scanner's neighbour finds its socket."""
    return {"name": "clamd-socket", "mountPath": _SOCKET_FOLDER}


def seed(operator: OperatorConfig) -> Manifest:
    """The init container that puts the image's signatures onto the volume."""
    # With their times: they are as old as they are.
    copying = f'for file in {_SIGNATURES}/*; do [ ! -e "$file" ] || cp -Rp "$file" /signatures/; done'
    return pods.container(
        "signatures",
        operator.clamav_image,
        resources={"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "512Mi"}},
        command=["/bin/sh", "-ec", f"{copying}; sh {_CONFIGURATION}/{_STAMP} /signatures"],
        volumeMounts=[{"name": "signatures", "mountPath": "/signatures"}, _CONFIGURATION_MOUNT],
        user=(_USER, _GROUP),
    )


def containers(instance: Instance, operator: OperatorConfig) -> list[Manifest]:
    """clamd and freshclam."""
    cpu, memory, most = _RESOURCES[instance.spec.environment]
    mounts = [
        {"name": "signatures", "mountPath": _SIGNATURES},
        _CONFIGURATION_MOUNT,
        socket_mount(),
    ]
    ping = {"exec": {"command": ["clamdscan", f"--config-file={_CONFIGURATION}/clamd.conf", "--ping", "1"]}}
    ports: dict[str, Any] = (
        {"ports": [{"name": "clamd", "containerPort": CLAMD_PORT, "protocol": "TCP"}]}
        if instance.spec.scanner.mode == "Shared"
        else {}
    )
    clamd = pods.container(
        "clamd",
        operator.clamav_image,
        resources={"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": most}},
        command=["clamd", f"--config-file={_CONFIGURATION}/clamd.conf"],
        startupProbe={**ping, "periodSeconds": 2, "timeoutSeconds": 10, "failureThreshold": 150},
        readinessProbe={**ping, "periodSeconds": 15, "timeoutSeconds": 10, "failureThreshold": 4},
        # Reading new signatures can take a minute in which it does not answer.
        livenessProbe={**ping, "periodSeconds": 30, "timeoutSeconds": 10, "failureThreshold": 10},
        volumeMounts=mounts,
        user=(_USER, _GROUP),
        tmp=_TMP,
        **ports,
    )
    freshclam = pods.container(
        "freshclam",
        operator.clamav_image,
        resources={"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        command=["freshclam", "--daemon", f"--config-file={_CONFIGURATION}/freshclam.conf"],
        volumeMounts=mounts,
        user=(_USER, _GROUP),
    )
    return [clamd, freshclam]


def shared(instance: Instance, operator: OperatorConfig, *, content_hash: str) -> list[Manifest]:
    """The Deployment and the Service of a scanner for all workers of the instance."""
    template = pods.template(
        instance,
        COMPONENT,
        operator,
        user=_USER,
        group=_GROUP,
        initContainers=[seed(operator)],
        containers=containers(instance, operator),
        volumes=volumes(instance),
        annotations={pods.CONTENT_HASH: content_hash},
    )
    return [
        pods.deployment(instance, instance.scanner, COMPONENT, pods=template, replicas=1),
        pods.service(instance, instance.scanner, COMPONENT, ports={"clamd": (CLAMD_PORT, "clamd")}),
    ]


def mirror_port(instance: Instance) -> int:
    """TCP port under which freshclam asks for signatures."""
    return port_of(instance.spec.scanner.mirror or f"https://{_UPSTREAM}")
