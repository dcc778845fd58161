"""`python -m bilten_operator.generate`: writes what follows from the types into the current folder."""

import sys
from pathlib import Path

from bilten_operator.api.instance import GROUP, PLURAL
from bilten_operator.generate import charts, crd, reference


def main() -> int:
    """Write manifests/crds/, docs/api-reference.md and the generated parts of charts/."""
    for path, text in {
        Path("manifests/crds") / f"{PLURAL}.{GROUP}.yaml": crd.manifest(),
        Path("docs/api-reference.md"): reference.page(),
        **charts.files(),
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        sys.stdout.write(f"{path} is up to date\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
