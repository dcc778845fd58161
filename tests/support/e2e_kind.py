"""A kind cluster of the tests' own, with all that an instance needs of a cluster."""

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from support.e2e_cluster import Cluster, run

NAME = "bilten-e2e"
DEPENDENCIES = Path(__file__).parents[2] / "manifests" / "dependencies.yaml"
PROGRAMS = ("docker", "kind")
_TRAEFIK = ("traefik", "--repo", "https://traefik.github.io/charts", "--version", "39.0.0")


def available() -> bool:
    """Whether this machine can have one."""
    return all(shutil.which(program) for program in PROGRAMS)


@contextmanager
def cluster(folder: Path, say: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Make one: its kubeconfig, and where its ingress is. It ends with the tests."""
    kubeconfig = folder / "kubeconfig"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mapping = {"containerPort": 80, "hostPort": port, "listenAddress": "127.0.0.1"}
    config = {
        "kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane", "extraPortMappings": [mapping]}],
    }  # fmt: skip
    say(f"making the kind cluster {NAME}")
    options = ["--name", NAME, "--kubeconfig", str(kubeconfig)]
    run("kind", "create", "cluster", *options, "--wait", "120s", "--config", "-", stdin=json.dumps(config))
    try:
        _furnish(Cluster(str(kubeconfig)), say)
        yield str(kubeconfig), f"127.0.0.1:{port}"
    finally:
        run("kind", "delete", "cluster", *options)


def _furnish(made: Cluster, say: Callable[[str], None]) -> None:
    say("installing Traefik")
    made.helm(
        "install", "traefik", *_TRAEFIK, "--create-namespace", "--set", "service.type=ClusterIP", "--set",
        "ports.web.hostPort=80", "--wait", namespace="traefik",
    )  # fmt: skip
    for wanted in yaml.safe_load(DEPENDENCIES.read_text())["dependencies"]:
        say(f"installing {wanted['name']} {wanted['version']}")
        made.kubectl("apply", "--server-side", "--filename", wanted["manifest"])
        made.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=300s",
                     namespace=wanted["namespace"])  # fmt: skip
