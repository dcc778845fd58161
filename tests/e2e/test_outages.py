"""The frontend's page, served from another host than the API behind the ingress, ends in its mock data, and comes back.

Behind one origin a browser reads the 503 itself, and nothing falls back: see the README.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fixtures.page import INVENTED, ask, serving
from playwright.async_api import Page
from support.e2e_cluster import until
from support.e2e_instance import Instance

#: CloudNativePG stops all instances of a Cluster, and keeps their volumes.
HIBERNATION = "cnpg.io/hibernation"


@pytest.fixture
async def page(browser_page: Page, page_files: Path, page_port: int, bilten: Instance) -> AsyncIterator[Page]:
    """The frontend's page, open in a browser."""
    async with serving(page_files, page_port) as origin:
        await browser_page.goto(f"{origin}/index.html?api=http://{bilten.host}")
        yield browser_page


async def fall_back(page: Page, lose: Callable[[], None], bring_back: Callable[[], None], bilten: Instance) -> None:
    """Lose something, and see the mock; bring it back, and see the real events again."""
    live = await ask(page, "events", "live")
    assert len(live) == 10
    assert INVENTED not in live
    await asyncio.to_thread(lose)
    try:
        assert await ask(page, "events", "mock") == [INVENTED]
    finally:
        await asyncio.to_thread(bring_back)
        await asyncio.to_thread(bilten.wait_ready)
        await asyncio.to_thread(bilten.wait_answers)
    await page.reload()
    assert await ask(page, "events", "live") == live


def pods(bilten: Instance, selector: str) -> list[object]:
    return list(bilten.cluster.list("pods", bilten.namespace, selector=selector))


async def test_the_page_shows_its_mock_while_the_api_is_scaled_to_zero(page: Page, bilten: Instance):
    def lose() -> None:
        bilten.patch({"api": {"replicas": 0}})
        until("the pods of the API are gone", lambda: not pods(bilten, "app.kubernetes.io/component=api"))
        told = until("it is told", lambda: _reason(bilten, "ApiAvailable") == "ScaledToZero")
        assert told

    await fall_back(page, lose, lambda: bilten.patch({"api": {"replicas": 1}}), bilten)


async def test_the_page_shows_its_mock_while_the_database_is_gone(page: Page, bilten: Instance):
    def hibernate(how: str) -> None:
        bilten.cluster.kubectl(
            "annotate", "cluster", "bilten-db", f"{HIBERNATION}={how}", "--overwrite", namespace=bilten.namespace
        )

    def lose() -> None:
        hibernate("on")
        until("the database is gone", lambda: not pods(bilten, "cnpg.io/cluster=bilten-db"))
        waits = until("it is told", lambda: bilten.resource()["status"].get("waitingFor"))
        assert (waits["kind"], waits["name"]) == ("Cluster", "bilten-db")

    await fall_back(page, lose, lambda: hibernate("off"), bilten)


def _reason(bilten: Instance, kind: str) -> str:
    reason: str = bilten.condition(kind).get("reason", "")
    return reason
