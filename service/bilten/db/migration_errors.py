"""What went wrong with a migration, in one sentence that says what to do next and never shows the password."""

import asyncpg

from bilten.db.errors import DatabaseUnavailable, causes, unavailable
from bilten.db.url import InvalidDatabaseUrl, parse_url


class MigrationError(Exception):
    """The message is one sentence for the operator."""


class MigrationUnavailable(MigrationError, DatabaseUnavailable):
    """The same migration may succeed later, without anybody changing it."""


def explained(error: Exception, database_url: str) -> MigrationError | None:
    """The error to show instead of this one; None for a bug of ours, which deserves its stack trace."""
    if isinstance(error, MigrationError):
        return error
    if isinstance(error, InvalidDatabaseUrl):
        return MigrationError(f"BILTEN_DATABASE_URL {error}.")
    kind = MigrationUnavailable if unavailable(error) else MigrationError
    refused = next((cause for cause in causes(error) if isinstance(cause, asyncpg.PostgresError)), None)
    if refused is not None:
        return kind(_explain_refusal(refused, database_url))
    if kind is MigrationUnavailable:
        what = f"Cannot reach the database at {_place(database_url)}: {_reason(error)}"
        return kind(f"{what}. Start it, or correct BILTEN_DATABASE_URL.")
    return None


def _explain_refusal(refused: asyncpg.PostgresError, database_url: str) -> str:
    message = str(refused)
    url = parse_url(database_url)
    match refused:
        case asyncpg.InvalidAuthorizationSpecificationError() | asyncpg.InvalidCatalogNameError():
            sentence = f"The database at {_place(database_url)} refused: {message}. Check BILTEN_DATABASE_URL."
        case asyncpg.InsufficientPrivilegeError() if "extension" in message:
            sentence = (
                f"The role {url.username} may not create extensions. As a superuser, in {url.database}, run: "
                "create extension if not exists pg_trgm; create extension if not exists btree_gist; then migrate again."
            )
        case asyncpg.InsufficientPrivilegeError():
            sentence = f"The role {url.username} must own the schema to migrate it: {message}."
        case asyncpg.FeatureNotSupportedError() | asyncpg.UndefinedFileError() if "extension" in message:
            sentence = f"{message}. Install Postgres's contrib modules (postgresql-contrib) there, then migrate again."
        case asyncpg.LockNotAvailableError():
            sentence = "A table to be changed is in use by a long transaction. The revision was rolled back; try again."
        case _ if unavailable(refused):
            sentence = f"The database at {_place(database_url)} refused: {message}. Try again when it is ready."
        case _:
            sentence = f"The migration failed, and its revision was rolled back: {message}."
    return sentence


def _place(database_url: str) -> str:
    url = parse_url(database_url)
    return f"{url.query.get('host') or url.host or 'localhost'}:{url.port or 5432}"


def _reason(error: Exception) -> str:
    cause = list(causes(error))[-1]
    return "no answer in time" if isinstance(cause, TimeoutError) else str(cause) or type(cause).__name__
