"""One JSON object a line, on standard error."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter


def set_up(level: str) -> None:
    """Send every logger there."""
    handler = logging.StreamHandler(sys.stderr)
    names = {"levelname": "level", "name": "logger"}
    handler.setFormatter(JsonFormatter("%(levelname)s %(name)s %(message)s", timestamp=True, rename_fields=names))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # They tell of every event and connection.
    for name in ("kopf", "asyncio", "urllib3"):
        logging.getLogger(name).setLevel("WARNING")
