"""Files on a cluster: uploaded and fetched through the ingress, looked for in the buckets, and their scanner killed."""

import io
import json
import os
import random
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from support.documents import office
from support.e2e_cluster import Object, until
from support.e2e_ingress import Answer
from support.e2e_instance import Instance
from support.forms import BOUNDARY, Part, form
from support.pictures import camera, encoded

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
WORKERS = "app.kubernetes.io/component=worker"
_WORKER_PORT = 3002
#: A picture with every variant, in a cluster that does other work as well.
_VERDICT_S = 120

#: What is in the buckets of the pod that runs this, by bucket and key: how many bytes.
_LIST = """
import json, os
from minio import Minio
told = {name: os.environ["BILTEN_S3_" + name] for name in ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY", "REGION")}
store = Minio(told["ENDPOINT"].partition("://")[2].rstrip("/"), access_key=told["ACCESS_KEY"],
              secret_key=told["SECRET_KEY"], region=told["REGION"], secure=told["ENDPOINT"].startswith("https"))
buckets = {name: os.environ[f"BILTEN_S3_{name.upper()}_BUCKET"] for name in ("quarantine", "media")}
print(json.dumps({name: {found.object_name: found.size for found in store.list_objects(bucket, recursive=True)}
                  for name, bucket in buckets.items()}))
"""

#: Lets the kernel kill process 1 when it has worked for about a second more: no signal from within its own namespace
#: of processes does that.
_LET_DIE = """
import os, resource
fields = open("/proc/1/stat").read().rpartition(")")[2].split()
worked_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
most_s = round(worked_s) + 1
resource.prlimit(1, resource.RLIMIT_CPU, (most_s, most_s))
"""

Buckets = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Visitor:
    """Somebody who has signed up, and uploads."""

    bilten: Instance
    token: str

    @classmethod
    def new(cls, bilten: Instance) -> "Visitor":
        """Whom nobody knows yet."""
        email = f"visitor-{uuid.uuid4().hex[:12]}@example.com"
        bilten.register(email)
        return cls(bilten, bilten.log_in(email).json["data"]["token"])

    def ask(self, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Answer:
        """A call of theirs."""
        own = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return self.bilten.ask(f"/api/v1{path}", headers=own, **more)

    def send(
        self, path: str, content: bytes, *, field: str = "file", name: str = "picture.jpg",
        media_type: str = "image/jpeg", **fields: str,
    ) -> Answer:  # fmt: skip
        """An upload in a form; `fields` come after the file."""
        file = Part(f'name="{field}"; filename="{name}"', content, [f"Content-Type: {media_type}"])
        body = form(file, *(Part(f'name="{key}"', value.encode()) for key, value in fields.items()))
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self.ask(path, method="POST", body=body, headers=headers)

    def upload(self, content: bytes, **how: str) -> dict[str, Any]:
        """`POST /files` of what may be uploaded."""
        answer = self.send("/files", content, **how)
        assert answer.status == 201, answer.text
        file: dict[str, Any] = answer.json["data"]["file"]
        return file

    def file(self, file_id: str) -> dict[str, Any]:
        """`GET /files/{file_id}`."""
        answer = self.ask(f"/files/{file_id}")
        assert answer.status == 200, answer.text
        file: dict[str, Any] = answer.json["data"]["file"]
        return file

    def ended(self, file_id: str) -> dict[str, Any]:
        """The file, once it has its verdict."""

        def judged() -> dict[str, Any] | None:
            file = self.file(file_id)
            return file if file["status"] not in ("pending", "scanning") else None

        file: dict[str, Any] = until(f"file {file_id} has its verdict", judged, within_s=_VERDICT_S)
        return file

    def fetch(self, url: str) -> Answer:
        """What an address of the API leads anybody to."""
        parts = urlsplit(url)
        assert (parts.scheme, parts.hostname) == ("http", self.bilten.host), url
        return self.bilten.ask(parts.path)


def photo() -> bytes:
    """Some megabytes of a camera that says where it was."""
    size = (2000, 1500)
    exif = Image.open(io.BytesIO(camera())).info["exif"]
    grain = Image.frombytes("L", size, os.urandom(size[0] * size[1]))
    return encoded(Image.merge("RGB", (grain, grain.rotate(180), grain)), "JPEG", quality=97, exif=exif)


def says_where(content: bytes) -> bool:
    """Whether there is anything of a camera's own in a picture."""
    return bool(b"Exif" in content or b"<script>" in content or Image.open(io.BytesIO(content)).getexif())


def laborious() -> bytes:
    """A document that a scanner has to work at for seconds: each part of it is HTML that must be made plain."""
    dice = random.Random(os.urandom(8))  # noqa: S311 only another document each time, as clamd remembers clean ones
    lines = (
        f"<p class='a{n}'>a <b>{dice.random()}</b></p><script>var a{n}=unescape('%41');</script>" for n in range(999)
    )
    page = f"<html><body>{''.join(lines)}</body></html>"
    return office(more={f"word/embeddings/{number}.html": f"{page}{number}".encode() for number in range(750)})


def objects(bilten: Instance) -> Buckets:
    """What is in both buckets, by key: how many bytes."""
    found: Buckets = json.loads(
        bilten.cluster.execute(
            "deployment/bilten-worker", "python", "-c", _LIST, namespace=bilten.namespace, container="worker"
        )
    )
    return found


def wait_objects(bilten: Instance, what: str, condition: Callable[[Buckets], bool]) -> None:
    """Until the buckets are as they are to be."""
    until(what, lambda: condition(objects(bilten)), within_s=60)


def worker_pod(bilten: Instance) -> Object:
    """The one that works; another may still be ending."""

    def only() -> Object | None:
        pods = bilten.cluster.list("pods", bilten.namespace, selector=WORKERS)
        living = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        return living[0] if len(living) == 1 else None

    found: Object = until("there is one worker", only)
    return found


def container_status(bilten: Instance, name: str) -> Object:
    """How a container of the worker's pod is."""
    found: list[Object] = worker_pod(bilten)["status"]["containerStatuses"]
    return next(each for each in found if each["name"] == name)


def let_clamd_die(bilten: Instance) -> None:
    """From now on clamd is killed as soon as it has something to do for seconds."""
    pod = worker_pod(bilten)
    image = next(each["image"] for each in pod["spec"]["containers"] if each["name"] == "worker")
    name = f"end-{uuid.uuid4().hex[:8]}"
    container = {
        "name": name, "image": image, "targetContainerName": "clamd", "command": ["python", "-c", _LET_DIE],
        "securityContext": {
            "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
            # clamd's own: a process may do this to its equals only.
            "runAsUser": 100, "runAsGroup": 101,
        },
    }  # fmt: skip
    patch = json.dumps({"spec": {"ephemeralContainers": [container]}})
    bilten.cluster.kubectl("patch", "pod", pod["metadata"]["name"], "--subresource=ephemeralcontainers",
                           "--patch", patch, namespace=bilten.namespace)  # fmt: skip

    def ended() -> Object | None:
        known = worker_pod(bilten)["status"].get("ephemeralContainerStatuses", [])
        ends: list[Object] = [each["state"].get("terminated") for each in known if each["name"] == name]
        return ends[0] if ends else None

    told = until("clamd has its limit", ended, within_s=60)
    assert told["exitCode"] == 0, told


def metrics(bilten: Instance) -> dict[str, list[tuple[dict[str, str], float]]]:
    """What the worker counts: labels and values by name."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    with (
        bilten.cluster.forwarded("deployment/bilten-worker", _WORKER_PORT, namespace=bilten.namespace) as address,
        urllib.request.urlopen(f"{address}/metrics") as answer,  # noqa: S310 - http, of this test
    ):
        for family in text_string_to_metric_families(answer.read().decode()):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def failed_scans(bilten: Instance) -> float:
    """How often a scan came to nothing and was put off."""
    wanted = {"kind": "files.scan", "outcome": "failed"}
    return sum(value for labels, value in metrics(bilten).get("bilten_jobs_total", []) if labels == wanted)
