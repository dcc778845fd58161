"""A Kubernetes API server with its etcd, and nothing else: no node, no controller, no pod.

The programs are found as envtest finds them: `KUBEBUILDER_ASSETS` names their folder. What it lacks is taken from PATH,
where a distribution may have put it.
"""

import json
import os
import secrets
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bilten.local import ports
from bilten.local.family import Family, quiet_environment
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ASSETS = "KUBEBUILDER_ASSETS"

#: An idle machine takes five seconds.
PATIENCE_S = 120


@dataclass(frozen=True)
class Address:
    """Where the server is, and a token of a user who may do everything."""

    url: str
    ca: str
    kubeconfig: str
    token: str = field(repr=False)

    def dump(self) -> bytes:
        """For another process."""
        return json.dumps(asdict(self)).encode()


def programs() -> dict[str, str] | None:
    """Where etcd, kube-apiserver and kubectl are; None when KUBEBUILDER_ASSETS is not set or one of them is missing."""
    folder = os.environ.get(ASSETS)
    if not folder:
        return None
    path = os.pathsep.join([str(Path(folder).absolute()), os.environ.get("PATH", "")])
    found = {name: shutil.which(name, path=path) for name in ("etcd", "kube-apiserver", "kubectl")}
    return {name: place for name, place in found.items() if place} if all(found.values()) else None


def program(name: str) -> str | None:
    """Where another program is: in that folder, or on PATH."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get(ASSETS, ""), os.environ.get("PATH", "")]))


def start(family: Family, folder: Path, *, abandoned: Callable[[], bool], options: Sequence[str] = ()) -> Address:
    """Start both and wait until the server is ready. Raises RuntimeError with the end of its log when it fails.

    `options` are more of kube-apiserver's.
    """
    found = programs()
    assert found
    client_port, peer_port, port = ports.pick(3)
    etcd, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
    address = _credentials(folder, f"https://127.0.0.1:{port}")
    _spawn(
        family, folder, [
            found["etcd"], "--data-dir=etcd", "--unsafe-no-fsync", "--log-level=error",
            f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
        ],
    )  # fmt: skip
    server = _spawn(
        family, folder, [
            found["kube-apiserver"], f"--etcd-servers={etcd}", "--bind-address=127.0.0.1", f"--secure-port={port}",
            "--cert-dir=certificates", "--token-auth-file=tokens.csv", "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=accounts.pem",
            "--service-account-signing-key-file=accounts.pem", "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",  # the controller that makes the accounts does not run
            "--allow-privileged", *options,
        ],
    )  # fmt: skip
    deadline = time.monotonic() + PATIENCE_S
    while not _is_ready(address):
        if server.poll() is not None or time.monotonic() > deadline or abandoned():
            log = (folder / "kube-apiserver.log").read_text(errors="replace")
            raise RuntimeError(f"kube-apiserver did not become ready; the end of its log:\n{log[-2000:]}")
        time.sleep(0.05)
    return address


def _spawn(family: Family, folder: Path, command: list[str]) -> "subprocess.Popen[bytes]":
    name = Path(command[0]).name
    with (folder / f"{name}.log").open("wb") as log:
        return family.spawn(name, command, env=quiet_environment(), cwd=folder, output=log)


def _credentials(folder: Path, url: str) -> Address:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    token = secrets.token_urlsafe()
    # The server makes its own certificate, and puts the one that signed it into the same file.
    address = Address(url, str(folder / "certificates" / "apiserver.crt"), str(folder / "kubeconfig"), token)
    cluster = {"server": url, "certificate-authority": address.ca}
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
    }  # fmt: skip
    for name, text in (
        ("accounts.pem", key.decode()),
        ("tokens.csv", f"{token},admin,admin,system:masters\n"),
        ("kubeconfig", json.dumps(config)),
    ):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text)
    return address


def _is_ready(address: Address) -> bool:
    try:
        context = ssl.create_default_context(cafile=address.ca)
        request = urllib.request.Request(f"{address.url}/readyz", headers={"Authorization": f"Bearer {address.token}"})  # noqa: S310 - https
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:  # noqa: S310 - https
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
