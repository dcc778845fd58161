"""What is committed of the charts is what they make, and the plain manifests are what the chart installs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bilten_operator.generate import charts
from support.charts import GOLDEN, INSTALL, PROJECT, page, releases, values, without_helm
from support.helm import INSTANCE, OPERATOR, install

RELEASES = releases()
APPLIED = list(yaml.safe_load_all(INSTALL.read_text()))


def texts(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            yield key
            yield from texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from texts(value)
    elif isinstance(part, str):
        yield part


@pytest.mark.parametrize("path", charts.files(), ids=str)
def test_the_generated_parts_are_what_the_code_says(path: Path):
    assert (PROJECT / path).read_text() == charts.files()[path], "run `make docs`"


@pytest.mark.parametrize("name", RELEASES)
def test_a_chart_makes_what_is_committed(name: str):
    assert page(RELEASES[name]) == (GOLDEN / f"{name}.yaml").read_text(), "run `make docs`, and look at what changed"


def test_nothing_is_committed_that_no_chart_makes():
    assert {path.stem for path in GOLDEN.iterdir()} == RELEASES.keys()


def test_the_manifest_for_those_without_helm_is_what_the_chart_makes():
    assert INSTALL.read_text() == without_helm(), "run `make docs`"


def test_the_manifest_installs_all_that_the_chart_does_after_what_it_needs():
    chart = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in RELEASES["operator-defaults"].manifests}
    order = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in APPLIED]
    assert set(order) == chart | {("Namespace", "bilten-system")}
    assert [kind for kind, _ in order[:3]] == ["Namespace", "CustomResourceDefinition", "ServiceAccount"]


def test_the_manifest_does_not_pretend_to_be_a_release_of_helm():
    assert not [text for manifest in APPLIED for text in texts(manifest) if "helm" in text.lower()]


def test_its_namespace_lets_restricted_pods_in_only():
    assert APPLIED[0]["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}


def test_charts_and_packages_have_one_version():
    (version,) = re.findall(r'^version = "(.+)"$', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)
    for chart in (OPERATOR, INSTANCE):
        said = yaml.safe_load((chart / "Chart.yaml").read_text())
        assert (said["version"], said["appVersion"]) == (version, version)


def test_the_images_that_the_readme_builds_are_those_that_the_charts_run():
    readme = (PROJECT / "README.md").read_text()
    built = re.findall(r"^    docker build --file (\S+) --tag (\S+) \.$", readme, re.MULTILINE)
    assert all((PROJECT / dockerfile).exists() for dockerfile, _ in built)
    operator = yaml.safe_load((OPERATOR / "Chart.yaml").read_text())["appVersion"]
    service = yaml.safe_load((INSTANCE / "values-development.yaml").read_text())["spec"]["image"]
    assert [image for _, image in built] == [f"bilten/operator:{operator}", service]
    assert f"    kind load docker-image bilten/operator:{operator} {service}\n" in readme


def test_what_the_readme_installs_is_taken():
    commands = re.findall(r"^    (helm install .+)$", (PROJECT / "README.md").read_text(), re.MULTILINE)
    assert {command.split()[3] for command in commands} == {"charts/bilten-operator", "charts/bilten-instance"}
    for command in commands:
        _, _, name, chart, *options = command.split()
        given = dict(zip(options[::2], options[1::2], strict=False))
        layers = [values(PROJECT / given["--values"])] if "--values" in given else []
        assert install(PROJECT / chart, *layers, name=name).manifests
