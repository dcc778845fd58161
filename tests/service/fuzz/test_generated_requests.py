"""Schemathesis over our own OpenAPI document: what the document allows is served, what it forbids is refused.

Two runs, because the default one mixes so much invalid data in that it misses faults behind valid requests (measured).
"""

import asyncio
import json
import os
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from bilten.accounts.link_queries import insert_one_time_token
from bilten.app import all_endpoints
from bilten.web import openapi
from bilten.web.endpoint import Endpoint, endpoints_of
from contract.catalogue import SERVED
from contract.world import NEW_ARTICLE, NEW_EVENT
from fixtures.api import Api, StartApi
from support import byte_routes
from support.excuses import EXCUSES, LEFT_OUT

ACCOUNT = {"email": "admin@bilten.com", "password": "admin123"}
UNLIMITED = {"anonymous_requests_per_minute": 10**6, "user_requests_per_minute": 10**6}
#: How many of each thing that a request uses up.
STOCK = 60
RUNS = {
    "all data, all checks": ["--checks", "all", "--max-examples", "12"],
    "valid data": [
        "--mode", "positive", "--phases", "fuzzing", "--checks", "not_a_server_error,positive_data_acceptance",
        "--max-examples", "40",
    ],
}  # fmt: skip


async def known(api: Api) -> dict[str, Any]:
    """Ids and tokens that name something."""
    admin = await api.as_admin()
    user = await api.db.fetchrow("select id, email from users where email = $1", "user@bilten.com")
    assert user
    things: dict[str, Any] = {"account": ACCOUNT, "events": [], "articles": [], "refresh": []}
    for number in range(STOCK):
        event = await api.post("/events", json=NEW_EVENT | {"title": f"Event {number}"}, token=admin)
        article = await api.post("/articles", json=NEW_ARTICLE | {"title": f"Article {number}"}, token=admin)
        things["events"].append(event.data["event"]["id"])
        things["articles"].append(article.data["article"]["id"])
        things["refresh"].append((await api.post("/auth/login", json=ACCOUNT)).data["refreshToken"])
    async with api.db.transaction() as tx:
        for purpose in ("verify_email", "reset_password"):
            things[purpose] = [
                await insert_one_time_token(tx, user["id"], purpose, email=user["email"], lifetime_s=3600)
                for _ in range(STOCK)
            ]
    return things


def forms_of(endpoints: Iterable[Endpoint]) -> str:
    """What the configuration says of endpoints that take forms."""
    # In a form all is text: what is wrong in JSON may be right when it has been written down.
    return "".join(
        f"""
[[operations]]
include-name = "{endpoint.method} {openapi.BASE}{endpoint.path}"
checks.negative_data_rejection.expected-statuses = ["2xx", 400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429]
"""
        for endpoint in endpoints
        if endpoint.form
    )


def configuration(*, token: str, spare_token: str, things: dict[str, Any]) -> str:
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
    return f"""
hooks = "{Path(__file__).with_name("hooks.py")}"

[auth.openapi.bearer]
bearer = "{token}"

[generation]
deterministic = true
# Left out: tests/service/attack sends NUL everywhere.
allow-x00 = false

[dictionaries]
events = {{ values = {json.dumps(things["events"])} }}
articles = {{ values = {json.dumps(things["articles"])} }}
sizes = {{ values = [1, 2, 3, 7, 10, 99, 100, 101, 0] }}

[parameters]
"path.event_id" = {{ dictionary = "events" }}
"path.article_id" = {{ dictionary = "articles" }}
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
{forms_of(all_endpoints())}
"""


async def run(folder: Path, url: str, options: list[str], configured: str, things: dict[str, Any]) -> None:
    """One run, which finds nothing."""
    (folder / "known.json").write_text(json.dumps(things))
    (folder / "schemathesis.toml").write_text(configured)
    process = await asyncio.create_subprocess_exec(
        Path(sysconfig.get_path("scripts")) / "schemathesis",
        "--config-file", "schemathesis.toml", "--no-color", "run", f"{url}/openapi.json", *options,
        # Of two parameters and their two spellings each, the hooks drop most combinations.
        "--suppress-health-check", "filter_too_much",
        cwd=folder, env=os.environ | {"BILTEN_FUZZ_KNOWN": str(folder / "known.json")},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output = (await process.communicate())[0].decode()
    (folder / "report.txt").write_text(output)
    assert process.returncode == 0, output[-20_000:]


@pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
async def test_generated_requests_find_nothing(start_api: StartApi, tmp_path: Path, options: list[str]):
    api = await start_api(**UNLIMITED)
    things = await known(api)
    configured = configuration(token=await api.as_admin(), spare_token=await api.as_admin(), things=things)
    await run(tmp_path, api.url, options, configured, things)


@pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
async def test_generated_forms_and_ranges_find_nothing(tmp_path: Path, options: list[str]):
    configured = f"""
hooks = "{Path(__file__).with_name("hooks.py")}"
generation = {{ deterministic = true, allow-x00 = false }}

[warnings]
fail-on = ["missing_auth", "missing_test_data", "validation_mismatch"]
{forms_of(endpoints_of(byte_routes))}
"""
    # Left out: what asks for a token, and what does not end or breaks off.
    chosen = [*options, "--include-path-regex", "one|pictures|private"]
    async with byte_routes.byte_server(tmp_path / "spool") as server:
        await run(tmp_path, server.url, chosen, configured, {})


def test_only_what_the_contract_forces_is_excused():
    assert (len(EXCUSES), len(LEFT_OUT)) == (3, 3)
    for excuse in EXCUSES:
        key, error = excuse.cites
        call = SERVED[key]
        assert excuse.path == f"/api/v1{call.path}"
        assert (excuse.status, error) in [(refusal.status, refusal.error) for refusal in call.refusals]
