"""Fixtures of every test; each file in fixtures/ holds those of one concern."""

pytest_plugins = ["fixtures.servers", "fixtures.database", "fixtures.api", "fixtures.machine"]
