"""Structured logs: one event a line, JSON for machines, readable on a terminal; never a secret in them."""

import logging
import re
import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor

from bilten.context import current_request_id

LogFormat = Literal["auto", "json", "console"]

#: Values under these names never reach a log, wherever they come from.
_SECRET_NAME = re.compile(
    r"pass(word)?|secret|token|authorization|cookie|api_?key|dsn|email|database_url", re.IGNORECASE
)
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/\s:@]+:[^@\s/]+(?=@)")
_BEARER = re.compile(r"(?i)bearer\s+[\w.~+/=-]+")
_IN_LINK = re.compile(r"(?i)(?<=[?&])(token|code|key|signature|x-amz-\w+)=[^&\s\"'<>]+")
_JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")
# Bounded, or a long run of letters costs its square.
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,190}")
#: Postgres explains a refused row by its values: names, addresses, password hashes.
_ROW = re.compile(r"DETAIL:.*?(?=\n\[SQL: |\nHINT: |\n\nThe above exception|\n\nDuring handling|\Z)", re.DOTALL)


def scrub(text: str) -> str:
    """Text without credentials, tokens, mail addresses or rows of a table."""
    text = _ROW.sub("DETAIL: ***", text)
    text = _CREDENTIALS_IN_URL.sub("***", text)
    text = _BEARER.sub("Bearer ***", text)
    text = _IN_LINK.sub(r"\1=***", text)
    text = _JWT.sub("***", text)
    return _EMAIL.sub("***@***", text)


def _add_request_id(_logger: Any, _method: str, event: EventDict) -> EventDict:
    if rid := current_request_id.get():
        event.setdefault("request_id", rid)
    return event


def _without_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if name != "event" and _SECRET_NAME.search(name):
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = scrub(value)
    return event


def setup(*, log_format: LogFormat, level: str) -> None:
    """Send structlog's and the standard library's events to standard error, one line each."""
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console, key="time"),
        _add_request_id,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _without_secrets,
    ]
    renderer: Processor = structlog.processors.JSONRenderer()
    if console:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), sort_keys=False, timestamp_key="time", pad_event_to=0
        )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Their debug lines repeat statements and parameters.
    for noisy in ("sqlalchemy", "asyncio", "aiohttp", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
