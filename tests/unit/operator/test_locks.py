"""The operator is tested with the packages its image ships, and `make up` downloads none of them."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[3]


def pins(path: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (PROJECT / path).read_text(), re.MULTILINE))


def test_the_tests_run_with_exactly_the_packages_that_the_operator_ships():
    shipped = pins("operator/locks/operator.txt")
    assert {"kopf", "kubernetes", "pyyaml", "pydantic"} <= shipped.keys()
    tested = pins("service/locks/dev.txt")
    assert {name: tested.get(name) for name in shipped} == shipped


def test_the_operator_ships_nothing_that_only_the_service_needs():
    shipped = pins("operator/locks/operator.txt")
    assert not {"asyncpg", "sqlalchemy", "alembic", "jinja2"} & shipped.keys()


def test_make_up_downloads_nothing_of_the_operator():
    assert not {"kopf", "kubernetes"} & pins("service/locks/local.txt").keys()


def test_a_debugger_and_a_reloader_are_in_the_development_image_only():
    tools = pins("service/locks/development.txt")
    assert {"debugpy", "watchfiles"} <= tools.keys()
    tested = pins("service/locks/dev.txt")
    assert {name: tested.get(name) for name in tools} == tools
    assert not {"debugpy", "watchfiles"} & pins("service/locks/runtime.txt").keys()
