"""The way into the cluster from outside, for hosts that no DNS knows."""

import http.client
import json
import os
from dataclasses import dataclass
from typing import Any

from support.e2e_cluster import Cluster

#: Where the ingress controller is reached, as address:port.
INGRESS = "BILTEN_E2E_INGRESS"

#: Longer than any call takes, one that waits for a verdict on a busy machine included.
_TIMEOUT_S = 30


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body, as far as it is text."""
        return self.content.decode(errors="replace")

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.content)


@dataclass(frozen=True)
class Ingress:
    """Where the ingress controller answers."""

    host: str
    port: int

    @classmethod
    def find(cls, cluster: Cluster) -> "Ingress":
        """As the environment says, else a balancer's address, else port 80 of a node."""
        if told := os.environ.get(INGRESS):
            host, _, port = told.rpartition(":")
            return cls(host, int(port))
        for service in cluster.list("services"):
            balanced = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
            if balanced and any(port["port"] == 80 for port in service["spec"]["ports"]):
                return cls(balanced[0].get("ip") or balanced[0]["hostname"], 80)
        addresses = cluster.list("nodes")[0]["status"]["addresses"]
        return cls(next(found["address"] for found in addresses if found["type"] == "InternalIP"), 80)

    def ask(
        self, host: str, path: str, *, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request, its body bytes or what JSON can say. Status 0 where nothing answers."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_TIMEOUT_S)
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Host": host, **({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        try:
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        except OSError:
            return Answer(0, {}, b"")
        finally:
            connection.close()
