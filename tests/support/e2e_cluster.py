"""A cluster as a platform engineer works with it: kubectl, helm, and patience."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import yaml

Object = dict[str, Any]

#: So long anything may take on a slow machine before it is given up.
PATIENCE_S = 300
_CALL_S = 600
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


class Failed(AssertionError):
    """A program that failed, with what it said."""


def run(*command: str, stdin: str = "", **environment: str) -> str:
    """What a program prints."""
    done = subprocess.run(
        command, input=stdin, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
        timeout=_CALL_S,
    )  # fmt: skip
    if done.returncode:
        raise Failed(f"{' '.join(command[:12])}: {(done.stderr or done.stdout)[-3000:]}")
    return done.stdout


def until(what: str, condition: Callable[[], Any], *, within_s: float = PATIENCE_S) -> Any:
    """Wait until something is true, and return what it came to."""
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{within_s} s passed before {what}")
        time.sleep(0.3)
    return found


class Cluster:
    """The cluster that KUBECONFIG leads to."""

    def __init__(self, kubeconfig: str) -> None:
        self._kubeconfig = kubeconfig

    def kubectl(self, *arguments: str, namespace: str = "", stdin: str = "") -> str:
        """What kubectl prints. Raises Failed."""
        place = ["--namespace", namespace] if namespace else []
        return run("kubectl", *place, *arguments, stdin=stdin, KUBECONFIG=self._kubeconfig)

    def helm(self, *arguments: str, namespace: str = "") -> str:
        """What helm prints. Raises Failed."""
        place = ["--namespace", namespace] if namespace else []
        return run("helm", *place, *arguments, KUBECONFIG=self._kubeconfig)

    def get(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """An object, if it is there."""
        told = self.kubectl("get", kind, name, "--ignore-not-found", "--output", "json", namespace=namespace)
        return json.loads(told) if told else None

    def list(self, kind: str, namespace: str = "", *, selector: str = "") -> list[Object]:
        """All of a kind, of one namespace or of all."""
        where = [] if namespace else ["--all-namespaces"]
        chosen = ["--selector", selector] if selector else []
        told = self.kubectl("get", kind, *where, *chosen, "--output", "json", namespace=namespace)
        found: list[Object] = json.loads(told)["items"]
        return found

    def apply(self, *manifests: Object) -> None:
        """Make objects what they are to be."""
        self.kubectl("apply", "--server-side", "--filename", "-", stdin=yaml.safe_dump_all(manifests))

    def make_namespace(self, name: str) -> None:
        """A namespace that admits no pod but restricted ones."""
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}})

    def execute(self, pod: str, *command: str, namespace: str, container: str = "", stdin: str = "") -> str:
        """What a command in a pod prints."""
        chosen = ["--container", container] if container else []
        arguments = ["exec", pod, *chosen, *(["--stdin"] if stdin else []), "--", *command]
        return self.kubectl(*arguments, namespace=namespace, stdin=stdin)

    @contextmanager
    def forwarded(self, target: str, port: int, *, namespace: str) -> Iterator[str]:
        """The address on this machine that leads to a port of a pod, or of one behind a Service."""
        command = ["kubectl", "--namespace", namespace, "port-forward", target, f":{port}"]
        environment = {**os.environ, "KUBECONFIG": self._kubeconfig}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as forwarding:
            try:
                assert forwarding.stdout
                told = forwarding.stdout.readline()
                found = re.search(r"127\.0\.0\.1:(\d+)", told)
                assert found, told
                yield f"http://127.0.0.1:{found[1]}"
            finally:
                forwarding.kill()
