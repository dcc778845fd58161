"""What the operator makes of each sample, as files to look at. `python -m support.renders` writes them anew."""

import copy
from pathlib import Path
from typing import Any

import yaml
from bilten_operator.plan.drift import INPUTS, RENDER
from bilten_operator.plan.model import Apply, CreateOnce
from support.world import World, samples

GOLDEN = Path(__file__).parents[1] / "unit" / "operator" / "resources" / "golden"
COMMAND = "PYTHONPATH=tests .venv/bin/python -m support.renders"


class _Plain(yaml.SafeDumper):
    """Writes what occurs twice twice: nobody reads aliases."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def manifests(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """All that is written until the instance is ready, in this order, without what planning adds to it."""
    written = []
    for write in World(spec).provide().converge().history:
        if isinstance(write, Apply | CreateOnce):
            manifest = copy.deepcopy(write.manifest)
            annotations = manifest["metadata"].get("annotations", {})
            for name in (RENDER, INPUTS):
                annotations.pop(name, None)
            if not annotations:
                manifest["metadata"].pop("annotations", None)
            written.append(manifest)
    return written


def page(spec: dict[str, Any]) -> str:
    """They as one YAML file."""
    return yaml.dump_all(manifests(spec), Dumper=_Plain, sort_keys=False, width=120)


if __name__ == "__main__":
    for name, sample in samples().items():
        (GOLDEN / f"{name}.yaml").write_text(page(sample))
