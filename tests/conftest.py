"""Fixtures of every test; each file in fixtures/ holds those of one concern."""

# One that imports another comes after it: pytest must rewrite the asserts of each before anyone imports it.
pytest_plugins = [
    "fixtures.servers",
    "fixtures.api",
    "fixtures.database",
    "fixtures.machine",
    "fixtures.processes",
    "fixtures.browser",
]
