"""The screen that says what runs where, once all of it does."""

from collections.abc import Mapping

from bilten import samples
from bilten.local.backing import Backing
from bilten.local.home import Home

ACCOUNTS = [f"{email} / {password}" for email, password, *_ in samples.ACCOUNTS]


def summary(
    address: str, worker: str | None, backing: Backing, home: Home, environ: Mapping[str, str], debugger: int | None
) -> list[tuple[str, str]]:
    """Names and values; an empty name continues the one before."""
    rows = [
        ("API", f"{address}/api/v1"),
        ("Docs", f"{address}/docs"),
        ("Ready?", f"{address}/readyz"),
        ("Mail", f"{address}/dev/mail"),
        ("Metrics", f"{address}/metrics"),
        *([("", f"{worker}/metrics  (the worker's)")] if worker else []),
        ("Database", backing.describe_database()),
        *zip(("S3", "", ""), backing.describe_store(), strict=False),
        ("Scanner", backing.describe_scanner()),
    ]
    if environ.get("BILTEN_ENVIRONMENT", "development") == "development":
        rows += zip(("Accounts", "", ""), ACCOUNTS, strict=True)
    rows.append(("Data", f"{home.folder}  (logs in {home.logs.name}/)"))
    if debugger:
        rows.append(("Debugger", f'127.0.0.1:{debugger}  (debugpy; attach with "restart": true to follow reloads)'))
    rows += [("", ""), ("", "Save a file and the API reloads. Ctrl-C stops all of it; `make reset` empties the data.")]
    return rows
