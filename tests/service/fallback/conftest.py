"""The page of the fallback test: npm's axios and our own lines, served from an origin of its own."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from fixtures.machine import require

SOURCES = Path(__file__).with_name("page")


@pytest.fixture(scope="session")
def page_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the browser loads."""
    require("npm")
    build = tmp_path_factory.mktemp("page") / "build"
    shutil.copytree(SOURCES, build, ignore=shutil.ignore_patterns("node_modules"))
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(npm, cwd=build, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"npm could not install axios: {done.stderr[-1000:]}"
    shutil.copy(build / "node_modules" / "axios" / "dist" / "axios.min.js", build)
    return build


@pytest.fixture
async def page_origin(page_files: Path) -> AsyncIterator[str]:
    """Where the page is served; an origin that differs from the API's by its port."""
    app = web.Application()
    app.router.add_static("/", page_files)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
