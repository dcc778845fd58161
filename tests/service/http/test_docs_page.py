"""/docs: the description of the API, shown without asking anything of any other host."""

import re

from fixtures.api import Api
from playwright.async_api import Page, Request, expect


async def test_the_page_loads_only_what_this_api_serves(api: Api):
    page = await api.get("//docs")
    assert page.status == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 4
    for address in addresses:
        assert address.startswith("/docs/")
        asset = await api.request("HEAD", f"/{address}", headers={"Range": "bytes=9999999-"})
        assert asset.status == 200
        assert asset.headers["X-Content-Type-Options"] == "nosniff"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


async def test_the_document_is_openapi_3_1_and_names_every_refusal(api: Api):
    document = (await api.get("//openapi.json")).json
    assert document["openapi"].startswith("3.1")
    login = document["paths"]["/api/v1/auth/login"]["post"]
    assert {"200", "400", "401", "413", "415", "429", "500", "503"} <= login["responses"].keys()
    assert "Invalid email or password" in login["responses"]["401"]["description"]


async def test_what_uploads_may_be_refused_for_is_named(api: Api):
    paths = (await api.get("//openapi.json")).json["paths"]
    for path, status, code in (
        ("/files", "503", "SCANNER_UNAVAILABLE"),
        ("/files/uploads", "413", "FILE_TOO_LARGE"),
        ("/files/uploads/{upload_id}/complete", "503", "UPLOADS_BUSY"),
        ("/uploads/event-image", "503", "SCANNER_UNAVAILABLE"),
        ("/uploads/event-gallery", "422", "FILE_NOT_ALLOWED"),
    ):
        told = paths[f"/api/v1{path}"]["post"]["responses"][status]["description"]
        assert f"`{code}`" in told, path


async def test_a_browser_without_any_network_shows_all_operations(browser_page: Page, api: Api):
    elsewhere: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((api.url, "data:", "blob:")):
            elsewhere.append(request.url)

    browser_page.on("request", note)
    await browser_page.goto(f"{api.url}/docs")
    await expect(browser_page.locator(".opblock").first).to_be_visible(timeout=15_000)
    operations = (await api.get("//openapi.json")).json["paths"]
    assert await browser_page.locator(".opblock").count() == sum(len(methods) for methods in operations.values())
    await expect(browser_page.get_by_text("Make an account and sign in")).to_be_visible()
    assert elsewhere == []
