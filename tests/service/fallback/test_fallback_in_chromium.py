"""A page that uses axios as the frontend does ends in its mock data when the backend is lost, and only then."""

from collections.abc import Awaitable, Callable

import pytest
from bilten.local.postgres import Postgres
from fixtures.page import INVENTED, ask
from fixtures.processes import ApiProcess, StartProcess
from playwright.async_api import Page, expect

Open = Callable[[ApiProcess], Awaitable[None]]


@pytest.fixture
async def api(api_process: StartProcess, private_postgres: Postgres, page_origin: str) -> ApiProcess:
    process = api_process(database_url=private_postgres.url(), cors_origins=page_origin)
    await process.start(ready="/readyz")
    return process


@pytest.fixture
def open_page(browser_page: Page, page_origin: str) -> Open:
    async def visit(process: ApiProcess) -> None:
        await browser_page.goto(f"{page_origin}/index.html?api={process.url}")

    return visit


async def test_the_api_dies_and_comes_back(browser_page: Page, open_page: Open, api: ApiProcess):
    await open_page(api)
    live = await ask(browser_page, "events", "live")
    assert len(live) == 10
    assert INVENTED not in live

    api.kill()
    assert await ask(browser_page, "events", "mock") == [INVENTED]

    await api.start(ready="/readyz")
    assert await ask(browser_page, "events", "mock") == [INVENTED], "the page believes its flag until it is loaded anew"
    await browser_page.reload()
    assert await ask(browser_page, "events", "live") == live


async def test_the_database_dies_and_comes_back(
    browser_page: Page, open_page: Open, api: ApiProcess, private_postgres: Postgres
):
    await open_page(api)
    live = await ask(browser_page, "events", "live")

    private_postgres.stop()
    assert await ask(browser_page, "events", "mock") == [INVENTED]

    private_postgres.start()
    private_postgres.wait_ready()
    await browser_page.reload()
    assert await ask(browser_page, "events", "live") == live


async def test_a_call_without_a_mock_that_succeeds_brings_the_live_data_back(
    browser_page: Page, open_page: Open, api: ApiProcess
):
    await open_page(api)
    api.kill()
    assert await ask(browser_page, "events", "mock") == [INVENTED]
    await api.start(ready="/readyz")
    await ask(browser_page, "categories", "live")
    assert INVENTED not in await ask(browser_page, "events", "live")


async def test_an_outage_is_shown_as_an_error_where_the_setting_says_so(
    browser_page: Page, open_page: Open, api_process: StartProcess, private_postgres: Postgres, page_origin: str
):
    process = api_process(database_url=private_postgres.url(), cors_origins=page_origin, outage_drops_cors="false")
    await process.start(ready="/readyz")
    await open_page(process)
    private_postgres.stop()
    await ask(browser_page, "events", "error")
    await expect(browser_page.locator("#message")).to_contain_text("database")


async def test_refusals_are_shown_and_do_not_end_in_the_mock(browser_page: Page, open_page: Open, api: ApiProcess):
    await open_page(api)
    message = browser_page.locator("#message")
    await ask(browser_page, "no-event", "error")
    await expect(message).to_have_text("Event not found")
    await ask(browser_page, "wishlist", "error")
    await expect(message).to_have_text("Authentication required")
    await ask(browser_page, "events", "live")


async def test_a_wrong_password_is_told_and_a_right_one_signs_in(browser_page: Page, open_page: Open, api: ApiProcess):
    await open_page(api)
    message = browser_page.locator("#message")
    for password, source, said in (
        ("wrong", "error", "Invalid email or password"),
        ("user123", "live", "Login successful"),
    ):
        await browser_page.fill("[name=password]", password)
        await ask(browser_page, "login button", source)
        await expect(message).to_have_text(said)


async def test_too_many_requests_are_shown_and_do_not_end_in_the_mock(
    browser_page: Page, open_page: Open, api_process: StartProcess, private_postgres: Postgres, page_origin: str
):
    process = api_process(
        database_url=private_postgres.url(), cors_origins=page_origin, anonymous_requests_per_minute="2"
    )
    await process.start(ready="/readyz")
    await open_page(process)
    await ask(browser_page, "events", "live")
    await ask(browser_page, "events", "live")
    await ask(browser_page, "events", "error")
    await expect(browser_page.locator("#message")).to_contain_text("Too many requests")
