"""Which of the database's refusals mean "not now", and which mean "not like this".

"Not now" becomes `DatabaseUnavailable`, whatever library noticed it: the caller may try the same thing again. A broken
rule stays what it is, and `violated_constraint` names the rule.
"""

from collections.abc import Iterator

import asyncpg


class DatabaseUnavailable(Exception):
    """Postgres could not be reached, refused, or did not answer in time. The message is for the log, not for users."""


# By SQLSTATE class where a whole class means the same, see Postgres's appendix "Error Codes".
_NOT_NOW: tuple[type[BaseException], ...] = (
    OSError,  # TimeoutError, name resolution and TLS failures included
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, starting up, statement timeout
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.TransactionRollbackError,  # deadlock, serialization failure
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a primary that became a standby
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.PostgresSystemError,
    asyncpg.InvalidCachedStatementError,  # a migration changed the table: gone with the next attempt
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.InternalClientError,  # the server's farewell arrived while a statement was being sent
)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what SQLAlchemy wrapped in it."""
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or getattr(current, "orig", None)


def unavailable(error: BaseException) -> DatabaseUnavailable | None:
    """The `DatabaseUnavailable` that stands for this error; None when trying again would not help."""
    for cause in causes(error):
        if isinstance(cause, DatabaseUnavailable):
            return cause
        if isinstance(cause, _NOT_NOW) or _connection_gone(cause):
            return DatabaseUnavailable(f"{type(cause).__name__}: {cause}".rstrip(": "))
    return None


def _connection_gone(error: BaseException) -> bool:
    # asyncpg raises one class for a closed connection and for a wrong number of arguments, and says which in words.
    return isinstance(error, asyncpg.InterfaceError) and any(word in str(error) for word in ("closed", "closing"))


def violated_constraint(error: BaseException) -> str | None:
    """The name of the constraint a statement broke, as in `uq_users_email`; None when it broke none with a name."""
    for cause in causes(error):
        if name := getattr(cause, "constraint_name", None):
            return str(name)
    return None
