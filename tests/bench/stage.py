"""A real API server, the operator as a process with no more rights than its own, and stand-ins for everybody else."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from bench.audit import POLICY, Audit
from bench.pod import STORE_PORT
from bilten.local import ports
from bilten.local.family import Family, quiet_environment
from bilten_operator.cluster import rbac
from prometheus_client.parser import text_string_to_metric_families
from support import apiserver
from support.apiserver import Address
from support.kube import Kube
from support.operators import CONFIGURED
from support.standins import STUBBED, stub

PROJECT = Path(__file__).parents[2]
TESTS = PROJECT / "tests"

NAMESPACE = "bilten-system"
ACCOUNT = "bilten-operator"
OPERATOR = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"

PATIENCE_S = 120.0
_RBAC = "apis/rbac.authorization.k8s.io/v1"


@dataclass(frozen=True)
class Stage:
    """What a measurement works with."""

    kube: Kube
    address: Address
    audit: Audit
    processes: "dict[str, subprocess.Popen[bytes]]"
    folder: Path
    metrics: str

    @property
    def operator_pid(self) -> int:
        """The operator's process."""
        return self.processes["operator"].pid

    def check(self) -> None:
        """Raise RuntimeError when a process has ended, with the end of its log."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                log = (self.folder / f"{name}.log").read_text(errors="replace")
                raise RuntimeError(f"{name} ended; the end of its log:\n{log[-2000:]}")

    async def samples(self) -> dict[str, float]:
        """The operator's own metrics, added up over their labels."""
        async with aiohttp.ClientSession() as session, session.get(self.metrics) as answer:
            text = await answer.text()
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        return sums


@asynccontextmanager
async def stage(kept: Path | None, **settings: str) -> AsyncIterator[Stage]:
    """Set it up; `settings` are more of the operator's. Raises RuntimeError or TimeoutError when it fails.

    Logs are in a temporary folder, or in `kept`, which stays.
    """
    folder = kept or Path(tempfile.mkdtemp(prefix="bilten-bench-"))
    with Family(folder / "run") as family:
        if kept is None:
            family.remove_at_end(folder)
        (folder / "policy.yaml").write_text(POLICY.format(operator=OPERATOR))
        address = await asyncio.to_thread(
            apiserver.start, family, folder, abandoned=lambda: False,
            options=[
                "--audit-policy-file=policy.yaml", "--audit-log-path=audit.log", "--audit-log-maxsize=10000",
                "--service-cluster-ip-range=10.0.0.0/16",  # two Services of each instance need an address
            ],
        )  # fmt: skip
        async with Kube(address, NAMESPACE) as kube:
            token = await _furnish(kube)
            store_port, probe_port = ports.pick(2)
            told = {"host": "127.0.0.1", "port": str(probe_port), "namespace": NAMESPACE, **settings}
            processes = {
                "controllers": _spawn_controllers(family, folder, address, store_port),
                "operator": _spawn_operator(family, folder, address, token, told, store_port),
            }
            url = f"http://127.0.0.1:{probe_port}/metrics"
            made = Stage(kube, address, Audit(folder / "audit.log", OPERATOR), processes, folder, url)
            await _until_leading(made)
            yield made


async def _furnish(kube: Kube) -> str:
    """Kinds, and an account with the operator's rights; its token."""
    await kube.make_namespace()
    crds = [yaml.safe_load(path.read_text()) for path in (PROJECT / "manifests" / "crds").glob("*.yaml")]
    path = "apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    for crd in [*crds, *map(stub, STUBBED)]:
        await _post(kube, path, crd)
        name = crd["metadata"]["name"]
        while not await _established(kube, f"{path}/{name}"):  # noqa: ASYNC110 - nothing else is under way
            await asyncio.sleep(0.1)
    await _post(kube, f"api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": ACCOUNT}})
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}
    for kind, scope, rules in (
        ("ClusterRole", "", [*rbac.instance_rules(), *rbac.cluster_rules()]),
        ("Role", f"namespaces/{NAMESPACE}/", rbac.lease_rules("bilten-operator")),
    ):
        named: dict[str, Any] = {"metadata": {"name": ACCOUNT}}
        await _post(kube, f"{_RBAC}/{scope}{kind.lower()}s", {**named, "rules": rules})
        ref = {"kind": kind, "name": ACCOUNT, "apiGroup": "rbac.authorization.k8s.io"}
        await _post(kube, f"{_RBAC}/{scope}{kind.lower()}bindings", {**named, "subjects": [subject], "roleRef": ref})
    path = f"api/v1/namespaces/{NAMESPACE}/serviceaccounts/{ACCOUNT}/token"
    made = await _post(kube, path, {"spec": {"expirationSeconds": 6 * 3600}})
    token: str = made["status"]["token"]
    return token


async def _post(kube: Kube, path: str, body: dict[str, Any]) -> dict[str, Any]:
    made = await kube.request("POST", path, body)
    if made.status != 201:
        raise RuntimeError(f"{path}: {made.body}")
    return made.body


async def _established(kube: Kube, path: str) -> bool:
    conditions = (await kube.request("GET", path)).body.get("status", {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def _spawn_controllers(family: Family, folder: Path, address: Address, store_port: int) -> "subprocess.Popen[bytes]":
    admin = folder / "admin.json"
    admin.touch(mode=0o600)
    admin.write_bytes(address.dump())
    with (folder / "controllers.log").open("wb") as log:
        return family.spawn(
            "controllers", [sys.executable, "-m", "bench.controllers", admin, str(store_port)],
            env=quiet_environment(PYTHONPATH=str(TESTS)), cwd=folder, output=log,
        )  # fmt: skip


def _spawn_operator(
    family: Family, folder: Path, address: Address, token: str, settings: dict[str, str], store_port: int
) -> "subprocess.Popen[bytes]":
    config = json.loads(Path(address.kubeconfig).read_text())
    config["users"][0]["user"] = {"token": token}
    kubeconfig = folder / "operator.kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(json.dumps(config))
    env = quiet_environment(
        PYTHONPATH=str(TESTS), KUBECONFIG=str(kubeconfig), **CONFIGURED, **{STORE_PORT: str(store_port)},
        **{f"BILTEN_OPERATOR_{name.upper()}": value for name, value in settings.items()},
    )  # fmt: skip
    with (folder / "operator.log").open("wb") as log:
        return family.spawn("operator", [sys.executable, "-m", "bench.pod"], env=env, cwd=folder, output=log)


async def _until_leading(made: Stage) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            made.check()
            with suppress(aiohttp.ClientError):
                if (await made.samples()).get("bilten_operator_leader") == 1:
                    return
            await asyncio.sleep(0.1)
