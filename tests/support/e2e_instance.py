"""An instance on a cluster: what tests do with it and look at."""

import json
from dataclasses import dataclass
from typing import Any

from support.e2e_cluster import PATIENCE_S, Cluster, Object, until
from support.e2e_ingress import Answer, Ingress

REVISION = "deployment.kubernetes.io/revision"
_ACCOUNT = {"password": "Visitor-123", "first_name": "Nadia", "last_name": "El Sayed"}


@dataclass(frozen=True)
class Instance:
    """One BiltenInstance."""

    cluster: Cluster
    ingress: Ingress
    namespace: str
    name: str
    host: str

    def wait_ready(self, *, within_s: int = PATIENCE_S) -> None:
        """As a platform engineer waits; safe right after an edit."""
        arguments = ["--for=condition=Ready", f"--timeout={within_s}s", f"bilteninstance/{self.name}"]
        self.cluster.kubectl("wait", *arguments, namespace=self.namespace)

    def resource(self) -> Object:
        """The BiltenInstance."""
        found = self.cluster.get("bilteninstance", self.name, self.namespace)
        assert found, f"there is no BiltenInstance {self.name}"
        return found

    def condition(self, kind: str) -> Object:
        """One of its conditions; nothing if it is not told."""
        conditions = self.resource().get("status", {}).get("conditions", [])
        return next((found for found in conditions if found["type"] == kind), {})

    def patch(self, spec: Object) -> None:
        """Edit it."""
        change = json.dumps({"spec": spec})
        self.cluster.kubectl("patch", "bilteninstance", self.name, "--type=merge", "--patch", change,
                             namespace=self.namespace)  # fmt: skip

    def part(self, kind: str, suffix: str) -> Object:
        """An object of it."""
        found = self.cluster.get(kind, f"{self.name}-{suffix}", self.namespace)
        assert found, f"there is no {kind} {self.name}-{suffix}"
        return found

    def revisions(self) -> tuple[int, int]:
        """How often the pods of the API and of the worker have been renewed."""
        api, worker = (
            int(self.part("deployment", part)["metadata"]["annotations"][REVISION]) for part in ("api", "worker")
        )
        return api, worker

    def events(self, reason: str) -> list[str]:
        """What was told of it."""
        selector = f"involvedObject.kind=BiltenInstance,involvedObject.name={self.name},reason={reason}"
        told = self.cluster.kubectl("get", "events", f"--field-selector={selector}", "--output=json",
                                    namespace=self.namespace)  # fmt: skip
        return [event["message"] for event in json.loads(told)["items"]]

    def ask(self, path: str, **more: Any) -> Answer:
        """A request through the ingress."""
        return self.ingress.ask(self.host, path, **more)

    def wait_answers(self) -> None:
        """Until the ingress, which learns of changes a moment later, leads to it."""
        until(f"{self.host} answers", lambda: self.ask("/readyz").status == 200, within_s=60)

    def register(self, email: str) -> None:
        """Somebody signs up."""
        answer = self.ask("/api/v1/auth/register", method="POST", body=_ACCOUNT | {"email": email})
        assert answer.status == 201, answer.text

    def log_in(self, email: str) -> Answer:
        """The same person signs in."""
        return self.ask("/api/v1/auth/login", method="POST", body=_ACCOUNT | {"email": email})
