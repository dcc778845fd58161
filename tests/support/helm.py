"""The charts as Helm sees them, by its own library: most machines have no helm."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import helm_python
import yaml

CHARTS = Path(__file__).parents[2] / "charts"
OPERATOR = CHARTS / "bilten-operator"
INSTANCE = CHARTS / "bilten-instance"

Object = dict[str, Any]

_NOTES = "NOTES.txt"


class Refused(Exception):
    """What Helm says of values that it does not take."""


@dataclass(frozen=True)
class Release:
    """What an installation would apply, by kind and name, and what it would print."""

    manifests: list[Object]
    notes: str

    def of(self, kind: str) -> list[Object]:
        """All of one kind."""
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    def one(self, kind: str) -> Object:
        """The only one of a kind."""
        (found,) = self.of(kind)
        return found


def install(chart: Path, values: Object | None = None, *, name: str = "", namespace: str = "default") -> Release:
    """What `helm install` would do with these values. Raises Refused."""
    try:
        with helm_python.Chart.load(chart) as loaded:
            rendered = loaded.render(values, name=name or chart.name, namespace=namespace)
    except (helm_python.HelmValuesError, helm_python.HelmRenderError) as error:
        raise Refused(str(error)) from error
    manifests = [
        manifest
        for path, text in sorted(rendered.items())
        if not path.endswith(_NOTES)
        for manifest in yaml.safe_load_all(text)
        if manifest
    ]
    return Release(manifests, next(text for path, text in rendered.items() if path.endswith(_NOTES)))


def problems(chart: Path, values: Object | None = None) -> list[str]:
    """What `helm lint --strict` would complain about."""
    report = helm_python.lint(chart, values, strict=True)
    info = 1
    return [*report["errors"], *(found["error"] for found in report["messages"] if found["severity"] > info)]


def merged(*layers: Object) -> Object:
    """Values as Helm merges those of several `--values`."""
    result: Object = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else value
    return result
