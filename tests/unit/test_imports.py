"""What pyproject.toml says of imports holds for every domain, also for the one that came last."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import bilten

PACKAGE = Path(bilten.__file__).parent
PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
CONTRACTS: list[dict[str, Any]] = PROJECT["tool"]["importlinter"]["contracts"]

#: A package that answers requests of its own.
DOMAINS = {f"bilten.{path.parent.name}" for path in PACKAGE.glob("*/routes.py")}


def test_every_domain_has_its_layers():
    layered = {name for contract in CONTRACTS if contract["type"] == "layers" for name in contract["containers"]}
    assert layered >= DOMAINS


def test_what_knows_no_domain_knows_none_of_them():
    forbidden = [set(contract["forbidden_modules"]) for contract in CONTRACTS if "know no domain" in contract["name"]]
    assert forbidden == [DOMAINS, DOMAINS]


def test_all_routes_are_known_to_the_wiring_only():
    (protected,) = (contract["protected_modules"] for contract in CONTRACTS if contract["type"] == "protected")
    routes = [f"bilten.{path.parent.name}.{path.stem}" for path in PACKAGE.glob("*/*routes.py")]
    assert [name for name in routes if not any(fnmatch(name, pattern) for pattern in protected)] == []
