"""Fixtures of every test; each file in fixtures/ holds those of one concern."""

import os

import hypothesis
import pytest

# How long an example takes says something of the machine, and nothing of the code.
hypothesis.settings.register_profile("bilten", deadline=None)
hypothesis.settings.load_profile("bilten")

# One that imports another comes after it: pytest must rewrite the asserts of each before anyone imports it.
pytest_plugins = [
    "fixtures.servers",
    "fixtures.api",
    "fixtures.house",
    "fixtures.database",
    "fixtures.machine",
    "fixtures.cluster",
    "fixtures.processes",
    "fixtures.clamd",
    "fixtures.minio",
    "fixtures.cache",
    "fixtures.browser",
    "fixtures.page",
]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: tests also wait, for servers, leases and time-outs."""
    cores = os.cpu_count() or 1
    return cores + cores // 2
