"""The rows that need a whole cluster: the sample development instance, from `kubectl apply` to Ready."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import yaml
from bench.share import STAGES, Object, Timeline
from bench.table import Row
from bilten_operator.cluster.client import Client
from bilten_operator.cluster.connection import configuration
from bilten_operator.cluster.kinds import INSTANCE, Kind
from kubernetes.aio.client import ApiClient
from support.e2e_cluster import Cluster, Failed
from support.e2e_images import PROJECT, CannotBuild, build
from support.e2e_names import CRD, SYSTEM
from support.standins import CLUSTER, DEPLOYMENT, JOB, STATEFUL_SET

NAMES = ("sample",)

#: A file with values for the operator's chart, as in the end-to-end tests.
VALUES = "BILTEN_OPERATOR_VALUES"
NAMESPACE = "bilten-bench"
SAMPLE = PROJECT / "manifests" / "samples" / "development.yaml"

#: The first brings the images to the node, and is not what is measured.
ROUNDS = 3
READY_WITHIN_S = 300.0
_WATCH_SILENCE_S = 120.0
_CHILDREN = {"Cluster": CLUSTER, "StatefulSet": STATEFUL_SET, "Job": JOB, "Deployment": DEPLOYMENT}
assert tuple(_CHILDREN) == STAGES


@dataclass(frozen=True)
class Round:
    """One instance that came up."""

    took_s: float
    timeline: Timeline

    @property
    def own_s(self) -> float:
        """The operator's share."""
        return sum(self.timeline.reactions().values())


async def measure(names: set[str]) -> list[Row]:
    """The rows of these names: the figure of each is the slowest of all rounds but the first."""
    if not names:
        return []
    ready = Row("sample development instance, apply to Ready", "≤ 90 s")
    own = Row("of which the operator's own share", "≤ 10 s")
    cluster, reason = _find()
    if cluster is None:
        ready.skipped = own.skipped = reason
        return [ready, own]
    try:
        rounds = await _rounds(cluster)
    except CannotBuild as error:
        ready.skipped = own.skipped = str(error)
        return [ready, own]
    except (Failed, TimeoutError, ValueError) as error:
        ready.failed = own.failed = str(error)
        return [ready, own]
    first, *measured = rounds
    slowest = max(measured, key=lambda one: one.took_s)
    slowest_s = slowest.took_s
    ready.figure, ready.reached = f"{slowest_s:.1f} s", slowest_s <= 90
    all_s = ", ".join(f"{one.took_s:.1f}" for one in measured)
    ready.notes.append(f"rounds: {all_s} s; before them one that brought the images to the node, {first.took_s:.1f} s")
    ready.notes.append(f"of the slowest, waiting for others: {_listed(slowest.timeline.waits())}")
    most = max(measured, key=lambda one: one.own_s)
    most_s = most.own_s
    own.figure, own.reached = f"{most_s:.1f} s", most_s <= 10
    own.notes.append("rounds: " + ", ".join(f"{one.own_s:.1f}" for one in measured) + " s")
    own.notes.append(f"the largest of them, by what was then written or told: {_listed(most.timeline.reactions())}")
    return [ready, own]


def _listed(times_s: dict[str, float]) -> str:
    return ", ".join(f"{name} {time_s:.2f} s" for name, time_s in times_s.items())


def _find() -> tuple[Cluster | None, str]:
    """The cluster of KUBECONFIG, or why it cannot be used."""
    if "KUBECONFIG" not in os.environ:
        return None, "set KUBECONFIG to a cluster that has CloudNativePG and an ingress controller, and no operator yet"
    if missing := [program for program in ("kubectl", "helm") if not shutil.which(program)]:
        return None, f"put {' and '.join(missing)} on PATH"
    cluster = Cluster(os.environ["KUBECONFIG"])
    try:
        kinds = {found["metadata"]["name"] for found in cluster.list("customresourcedefinitions")}
    except Failed as error:
        return None, f"the cluster of KUBECONFIG does not answer: {error}"
    if "clusters.postgresql.cnpg.io" not in kinds:
        return None, "the cluster of KUBECONFIG lacks CloudNativePG: see manifests/dependencies.yaml"
    if CRD in kinds:
        return None, f"the cluster of KUBECONFIG has an operator of Bilten: remove it and `kubectl delete crd {CRD}`"
    return cluster, ""


def _say(what: str) -> None:
    sys.stderr.write(f"  {what}\n")


async def _rounds(cluster: Cluster) -> list[Round]:
    images = build(_say, cluster.kubectl("config", "current-context").strip())
    sample = yaml.safe_load(SAMPLE.read_text())
    sample["spec"]["image"] = images.service
    with _installed(cluster, images.operator):
        return [await _round(cluster, yaml.safe_dump(sample)) for _ in range(ROUNDS)]


@contextmanager
def _installed(cluster: Cluster, image: str) -> Iterator[None]:
    """The operator, from its chart."""
    repository, _, tag = image.rpartition(":")
    own = ["--values", os.environ[VALUES]] if VALUES in os.environ else []
    arguments = [*own, "--set", f"image.repository={repository}", "--set", f"image.tag={tag}"]
    _say("installing the operator")
    cluster.make_namespace(SYSTEM)
    chart = str(PROJECT / "charts" / "bilten-operator")
    try:
        cluster.helm("install", "bilten-operator", chart, "--wait", "--timeout=3m", *arguments, namespace=SYSTEM)
        yield
    finally:
        _say("removing the operator")
        cluster.helm("uninstall", "bilten-operator", "--ignore-not-found", "--wait", namespace=SYSTEM)
        cluster.kubectl("delete", "crd", CRD, "--ignore-not-found")
        cluster.kubectl("delete", "namespace", SYSTEM)


async def _round(cluster: Cluster, sample: str) -> Round:
    cluster.make_namespace(NAMESPACE)
    try:
        async with ApiClient(await configuration()) as api:
            return await _come_up(cluster, Client(api), sample)
    finally:
        _say("removing the instance")
        _remove(cluster)


async def _come_up(cluster: Cluster, client: Client, sample: str) -> Round:
    timeline, done = Timeline(), asyncio.Event()

    def saw_instance(found: Object, at: float) -> None:
        timeline.saw_instance(found, at)
        if timeline.ready is not None:
            done.set()

    followers = {INSTANCE: saw_instance, **{kind: _saw(timeline, name) for name, kind in _CHILDREN.items()}}
    # The namespace is new: what there is of each kind comes after these.
    versions = {kind: (await client.list(kind, NAMESPACE)).resource_version for kind in followers}
    watches = [asyncio.create_task(_follow(client, kind, versions[kind], saw)) for kind, saw in followers.items()]
    waiting = asyncio.create_task(done.wait())
    began = time.monotonic()
    try:
        await asyncio.to_thread(cluster.kubectl, "apply", "--filename", "-", namespace=NAMESPACE, stdin=sample)
        async with asyncio.timeout(READY_WITHIN_S):
            await asyncio.wait({waiting, *watches}, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        told = cluster.kubectl("describe", "biltens", namespace=NAMESPACE)
        raise TimeoutError(f"not Ready within {READY_WITHIN_S:.0f} s:\n{told[-3000:]}") from None
    finally:
        for task in (*watches, waiting):
            task.cancel()
        ended = await asyncio.gather(*watches, return_exceptions=True)
    if timeline.ready is None:
        raise Failed(f"a watch ended: {next(one for one in ended if not isinstance(one, asyncio.CancelledError))}")
    found = Round(timeline.ready - began, timeline)
    _say(
        f"Ready after {found.took_s:.1f} s, of which {found.own_s:.1f} s are the operator's own: "
        + _listed(timeline.reactions())
    )
    return found


def _saw(timeline: Timeline, kind: str) -> Callable[[Object, float], None]:
    return lambda found, at: timeline.saw_child(kind, found, at)


async def _follow(client: Client, kind: Kind, since: str, saw: Callable[[Object, float], None]) -> None:
    async for event in client.watch(kind, NAMESPACE, None, since, silence_s=_WATCH_SILENCE_S):
        if event.type in {"ADDED", "MODIFIED"}:
            saw(event.object, time.monotonic())


def _remove(cluster: Cluster) -> None:
    with suppress(Failed):
        cluster.kubectl("delete", "biltens", "--all", "--wait", "--timeout=120s", namespace=NAMESPACE)
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait", "--timeout=120s")
