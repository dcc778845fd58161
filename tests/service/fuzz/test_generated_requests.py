"""Schemathesis over our own OpenAPI document: what the document allows is served, what it forbids is refused.

Two runs, because the default one mixes so much invalid data in that it misses faults behind valid requests (measured).
"""

import asyncio
import json
import os
import sysconfig
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bilten.app import all_endpoints
from bilten.web import openapi
from bilten.web.endpoint import Endpoint, endpoints_of
from contract.catalogue import SERVED
from support import byte_routes, fuzz_stock
from support.excuses import EXCUSES, LEFT_OUT
from support.house import House, OpenHouse

UNLIMITED = {"anonymous_requests_per_minute": 10**6, "user_requests_per_minute": 10**6}


@dataclass(frozen=True)
class Run:
    """How requests are generated, and how many."""

    options: list[str]
    examples: int
    #: Of forms with files: each file is scanned, and pictures are made of it.
    uploads: int


RUNS = {
    "all data, all checks": Run(["--checks", "all"], examples=8, uploads=3),
    "valid data": Run(
        ["--mode", "positive", "--phases", "fuzzing", "--checks", "not_a_server_error,positive_data_acceptance"],
        examples=12,
        uploads=4,
    ),
}


@dataclass(frozen=True)
class Part:
    """Operations that are tested together, as one answers what another takes; and what there is for them."""

    paths: str
    stock: Callable[[House], Awaitable[dict[str, Any]]]


#: Side by side, where there are several processes. What is in none of the others is in the last one.
PARTS = {
    "accounts": Part("^/api/v1/(auth|users)/", fuzz_stock.of_accounts),
    "files": Part("^/api/v1/files(/|$)", fuzz_stock.of_files),
    "uploads": Part("^(/api/v1)?/uploads/", fuzz_stock.of_files),
    "the rest": Part("", fuzz_stock.of_events),
}


LINES = "\n"
#: Which things the variables of paths name.
IDS = {"event_id": "events", "article_id": "articles", "file_id": "files", "upload_id": "uploads"}


def chosen(part: Part) -> list[str]:
    """The options that choose its operations."""
    if part.paths:
        return ["--include-path-regex", part.paths]
    return ["--exclude-path-regex", "|".join(each.paths for each in PARTS.values() if each.paths)]


def forms_of(endpoints: Iterable[Endpoint], examples: int) -> str:
    """What the configuration says of endpoints that take forms."""
    # In a form all is text: what is wrong in JSON may be right when it has been written down.
    return "".join(
        f"""
[[operations]]
include-name = "{endpoint.method} {openapi.BASE}{endpoint.path}"
generation.max-examples = {examples}
checks.negative_data_rejection.expected-statuses = ["2xx", 400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429]
"""
        for endpoint in endpoints
        if endpoint.form
    )


def configuration(how: Run, *, token: str, spare_token: str, things: dict[str, Any]) -> str:
    """The run as schemathesis' own configuration file says it."""
    excused = "".join(
        f"""
[[operations]]
include-name = "{excuse.method} {excuse.path}"
checks.positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, {excuse.status}]
warnings = {{ display = ["missing_auth"], fail-on = ["missing_auth"] }}
"""
        for excuse in EXCUSES
    )
    named = {parameter: name for parameter, name in IDS.items() if name in things}
    dictionaries = [f"{name} = {{ values = {json.dumps(things[name])} }}" for name in named.values()]
    parameters = [f'"path.{parameter}" = {{ dictionary = "{name}" }}' for parameter, name in named.items()]
    return f"""
hooks = "{Path(__file__).with_name("hooks.py")}"

[auth.openapi.bearer]
bearer = "{token}"

[generation]
deterministic = true
max-examples = {how.examples}
# Left out: tests/service/attack sends NUL everywhere.
allow-x00 = false

[dictionaries]
sizes = {{ values = [1, 2, 3, 7, 10, 99, 100, 101, 0] }}
{LINES.join(dictionaries)}

[parameters]
{LINES.join(parameters)}
# Any integer is allowed, so small ones would hardly ever come up.
"query.page" = {{ dictionary = "sizes", probability = 0.7 }}
"query.limit" = {{ dictionary = "sizes", probability = 0.7 }}

[checks]
# Its own list, with 413 for what is wrong by being too long, and without 5xx.
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]

[warnings]
fail-on = ["missing_auth", "missing_test_data", "validation_mismatch"]

# Whoever signs out needs another token for the rest.
[[operations]]
include-name = "POST /api/v1/auth/logout"
headers = {{ Authorization = "Bearer {spare_token}" }}
{excused}
{forms_of(all_endpoints(), how.uploads)}
"""


async def run(folder: Path, url: str, options: list[str], configured: str, things: dict[str, Any]) -> None:
    """One run, which finds nothing."""
    (folder / "known.json").write_text(json.dumps(things))
    (folder / "schemathesis.toml").write_text(configured)
    # The coverage of the tool itself is nobody's concern, and takes time.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    process = await asyncio.create_subprocess_exec(
        Path(sysconfig.get_path("scripts")) / "schemathesis",
        "--config-file", "schemathesis.toml", "--no-color", "run", f"{url}/openapi.json", *options,
        # Of two parameters and their two spellings each, the hooks drop most combinations.
        "--suppress-health-check", "filter_too_much",
        cwd=folder, env=kept | {"BILTEN_FUZZ_KNOWN": str(folder / "known.json")},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output = (await process.communicate())[0].decode()
    (folder / "report.txt").write_text(output)
    assert process.returncode == 0, output[-20_000:]


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("how", RUNS.values(), ids=RUNS)
async def test_generated_requests_find_nothing(open_house: OpenHouse, tmp_path: Path, how: Run, part: Part):
    house = await open_house(**UNLIMITED)
    async with house.working():
        things = {"account": fuzz_stock.ACCOUNT, **await part.stock(house)}
        token, spare_token = await house.api.as_admin(), await house.api.as_admin()
        configured = configuration(how, token=token, spare_token=spare_token, things=things)
        await run(tmp_path, house.api.url, [*how.options, *chosen(part)], configured, things)


@pytest.mark.parametrize("how", RUNS.values(), ids=RUNS)
async def test_generated_forms_and_ranges_find_nothing(tmp_path: Path, how: Run):
    configured = f"""
hooks = "{Path(__file__).with_name("hooks.py")}"
generation = {{ deterministic = true, allow-x00 = false, max-examples = {how.examples} }}

[warnings]
fail-on = ["missing_auth", "missing_test_data", "validation_mismatch"]
{forms_of(endpoints_of(byte_routes), how.examples)}
"""
    # Left out: what asks for a token, and what does not end or breaks off.
    some = [*how.options, "--include-path-regex", "one|pictures|private"]
    async with byte_routes.byte_server(tmp_path / "spool") as server:
        await run(tmp_path, server.url, some, configured, {})


def test_only_what_the_contract_forces_is_excused():
    assert (len(EXCUSES), len(LEFT_OUT)) == (3, 3)
    for excuse in EXCUSES:
        key, error = excuse.cites
        call = SERVED[key]
        assert excuse.path == f"/api/v1{call.path}"
        assert (excuse.status, error) in [(refusal.status, refusal.error) for refusal in call.refusals]
