"""Both charts on a real cluster, installed once for all tests, and removed at the end.

    KUBECONFIG=... BILTEN_BUILD_COMMAND=... make e2e

The cluster is the one of KUBECONFIG, else a kind cluster is made. It has CloudNativePG with its barman plugin and an
ingress controller, and no operator of ours. Each test finds the instance ready, and leaves it so.
"""

import os
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from bilten.local import ports
from support import e2e_kind
from support.e2e_cluster import Cluster, Failed
from support.e2e_elsewhere import NAMESPACE as ELSEWHERE
from support.e2e_elsewhere import Elsewhere
from support.e2e_images import PROJECT, CannotBuild, Images, build
from support.e2e_ingress import INGRESS, Ingress
from support.e2e_instance import Instance
from support.e2e_names import CRD, FILES, FIRST, HOST, SECOND, SYSTEM

pytest_plugins = ["fixtures.machine", "fixtures.browser", "fixtures.page"]

#: A file with values for the operator's chart: images of others, where those of the chart cannot be pulled.
VALUES = "BILTEN_OPERATOR_VALUES"
NEEDED = {"clusters.postgresql.cnpg.io": "CloudNativePG", "objectstores.barmancloud.cnpg.io": "its barman plugin"}

SEEN = pytest.StashKey[list[str]]()


class Say:
    """Tells on the terminal what takes a while."""

    def __init__(self, config: pytest.Config) -> None:
        self._capture = config.pluginmanager.getplugin("capturemanager")
        self._began = time.monotonic()

    def __call__(self, what: str) -> None:
        with self._capture.global_and_fixture_disabled():
            print(f"\n  {time.monotonic() - self._began:5.0f} s  {what}", end="", flush=True)  # noqa: T201 told at once


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Say:
    return Say(request.config)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, say: Say) -> Iterator[Cluster]:
    """The cluster, with all that an instance needs and nothing of ours."""
    missing = [program for program in ("kubectl", "helm") if not shutil.which(program)]
    if missing:
        pytest.exit(f"The end-to-end tests need {' and '.join(missing)} on PATH.", returncode=1)
    if kubeconfig := os.environ.get("KUBECONFIG"):
        found = Cluster(kubeconfig)
        _check(found)
        yield found
    elif e2e_kind.available():
        with e2e_kind.cluster(tmp_path_factory.mktemp("kind"), say) as (kubeconfig, ingress):
            os.environ[INGRESS] = ingress
            yield Cluster(kubeconfig)
    else:
        pytest.exit(
            "There is no cluster: name one with KUBECONFIG, or install Docker and kind, and one is made.", returncode=1
        )


def _check(cluster: Cluster) -> None:
    try:
        kinds = {found["metadata"]["name"] for found in cluster.list("customresourcedefinitions")}
    except Failed as error:
        pytest.exit(f"The cluster of KUBECONFIG does not answer: {error}", returncode=1)
    lacking = [name for kind, name in NEEDED.items() if kind not in kinds]
    if not cluster.list("ingressclasses"):
        lacking.append("an ingress controller")
    if lacking:
        pytest.exit(f"The cluster of KUBECONFIG lacks {', '.join(lacking)}: see manifests/dependencies.yaml.", 1)
    if CRD in kinds:
        pytest.exit(
            f"The cluster of KUBECONFIG knows BiltenInstance already: take another one, or, where no instance is left, "
            f"remove the operator and run `kubectl delete crd {CRD}`.",
            returncode=1,
        )


@pytest.fixture(scope="session")
def images(cluster: Cluster, say: Say) -> Images:
    """The images of this checkout, where the cluster finds them."""
    try:
        return build(say, cluster.kubectl("config", "current-context").strip())
    except CannotBuild as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
def operator(cluster: Cluster, images: Images, say: Say) -> Iterator[list[str]]:
    """The operator, from its chart: the arguments that it was installed with."""
    repository, _, tag = images.operator.rpartition(":")
    own = ["--values", os.environ[VALUES]] if VALUES in os.environ else []
    # A killed leader is replaced when its Lease has run out.
    settings = {"image.repository": repository, "image.tag": tag, "leaseSeconds": "6"}
    arguments = [*own, *(part for name, value in settings.items() for part in ("--set", f"{name}={value}"))]
    say("helm install bilten-operator")
    cluster.make_namespace(SYSTEM)
    chart = str(PROJECT / "charts" / "bilten-operator")
    try:
        cluster.helm("install", "bilten-operator", chart, "--create-namespace", "--wait", "--timeout=3m", *arguments,
                     namespace=SYSTEM)  # fmt: skip
        yield arguments
    finally:
        say("removing the operator")
        cluster.helm("uninstall", "bilten-operator", "--ignore-not-found", "--wait", namespace=SYSTEM)
        cluster.kubectl("delete", "crd", CRD, "--ignore-not-found")
        cluster.kubectl("delete", "namespace", SYSTEM)


@pytest.fixture(scope="session")
def page_port() -> int:
    """The port of the frontend's page: its origin is in the settings of the instance."""
    return int(ports.pick(1)[0])


@pytest.fixture(scope="session")
def values(images: Images, page_port: int) -> list[str]:
    """What is asked of the first instance: the values of development, and where it is."""
    settings = {
        "spec.image": images.service,
        "spec.exposure.host": HOST,
        "spec.objectStorage.publicEndpoint": f"http://{FILES}",
        "spec.config.corsOrigins": f"{{http://127.0.0.1:{page_port}}}",
    }
    development = str(PROJECT / "charts" / "bilten-instance" / "values-development.yaml")
    return ["--values", development, *(part for item in settings.items() for part in ("--set", "=".join(item)))]


@pytest.fixture(scope="session")
def first(
    request: pytest.FixtureRequest, cluster: Cluster, operator: list[str], values: list[str], say: Say
) -> Iterator[Instance]:
    """The first instance, from its chart."""
    del operator
    instance = Instance(cluster, Ingress.find(cluster), FIRST, "bilten", HOST)
    cluster.make_namespace(FIRST)
    say("helm install bilten")
    began = time.monotonic()
    try:
        cluster.helm("install", "bilten", str(PROJECT / "charts" / "bilten-instance"), *values, namespace=FIRST)
        instance.wait_ready()
        say(f"Ready after {time.monotonic() - began:.0f} s")
        yield instance
    finally:
        request.config.stash[SEEN] = [
            cluster.kubectl("get", "biltens", "--all-namespaces"),
            cluster.kubectl("describe", "biltens", "bilten", namespace=FIRST),
        ]
        say("removing the instances")
        cluster.helm("uninstall", "bilten", "--ignore-not-found", "--wait", namespace=FIRST)
        cluster.kubectl("delete", "namespace", FIRST, SECOND, ELSEWHERE, "--ignore-not-found")


@pytest.fixture
def bilten(first: Instance) -> Iterator[Instance]:
    """The first instance, ready before and after."""
    first.wait_ready()
    first.wait_answers()
    yield first
    first.wait_ready()


@pytest.fixture(scope="session")
def elsewhere(cluster: Cluster, images: Images, first: Instance, say: Say) -> Elsewhere:
    """Another S3 and a mirror for signatures. They go with the first instance's namespace."""
    say("installing a store and a mirror elsewhere")
    found = Elsewhere(cluster)
    store = first.part("statefulset", "objects")
    image = store["spec"]["template"]["spec"]["containers"][0]["image"]
    found.install(minio_image=image, python_image=images.service)
    return found


@pytest.fixture
def browser_flags(first: Instance) -> list[str]:
    """The browser finds the ingress without a DNS."""
    way = f"{first.ingress.host}:{first.ingress.port}"
    return [f"--host-resolver-rules=MAP {HOST} {way}, MAP {FILES} {way}"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """What the cluster says when a test fails, before the next one changes it."""
    report = yield
    cluster = getattr(item, "funcargs", {}).get("cluster")
    if report.failed and isinstance(cluster, Cluster):
        report.sections.append(("What the cluster says", _state(cluster)))
    return report


def _state(cluster: Cluster) -> str:
    looked = []
    for arguments in (
        ("get", "biltens", "--all-namespaces", "--output=yaml"),
        ("get", "pods,jobs", "--all-namespaces", "--output=wide"),
        ("get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"),
        ("logs", "--namespace", SYSTEM, "--selector=app.kubernetes.io/name=bilten-operator", "--tail=40", "--prefix"),
    ):
        try:
            looked.append(cluster.kubectl(*arguments)[-12000:])
        except Failed as error:
            looked.append(str(error))
    return "\n".join(looked)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if told := config.stash.get(SEEN, None):
        terminalreporter.section("As a platform engineer sees it")
        terminalreporter.write_line("$ kubectl get biltens --all-namespaces")
        terminalreporter.write_line(told[0])
        terminalreporter.write_line(f"$ kubectl --namespace {FIRST} describe biltens bilten")
        terminalreporter.write_line(told[1])
