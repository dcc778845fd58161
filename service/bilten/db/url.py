"""Which database: the one setting every command needs, checked and written as each driver takes it."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError


class InvalidDatabaseUrl(ValueError):
    """The setting does not name a Postgres database. The message does not repeat it, as it may hold a password."""


def parse_url(database_url: str) -> URL:
    """The parts of a database URL, written for asyncpg or for SQLAlchemy. Raises `InvalidDatabaseUrl`."""
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() not in {"postgresql", "postgres"}:
        raise InvalidDatabaseUrl("must be a Postgres URL: postgresql://user:password@host:port/name")
    return url.set(drivername="postgresql")


def driver_url(database_url: str) -> str:
    """The URL as asyncpg takes it: without the `+driver` that SQLAlchemy users write."""
    return parse_url(database_url).render_as_string(hide_password=False)
