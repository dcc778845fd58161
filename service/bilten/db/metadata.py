"""The one `MetaData` every domain's tables hang from, and the columns and rules they share.

Constraint names are part of the interface: `bilten.db.errors.violated_constraint` hands them to the code that turns a
refusal of the database into an answer, so they follow one convention and never the database's own.
"""

from typing import Any

from sqlalchemy import CheckConstraint, Column, DateTime, Integer, MetaData, Text, Uuid, text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def id_column() -> Column[Any]:
    """The primary key of a row that is named by a random UUID, made by the database unless given."""
    return Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()"))


def legacy_id_column() -> Column[Any]:
    """The small integer under which older clients know a sample row; every other row has none."""
    return Column("legacy_id", Integer, unique=True)


def timestamp(name: str, **options: Any) -> Column[Any]:
    """A point in time, with zone."""
    return Column(name, DateTime(timezone=True), **options)


def created_at() -> Column[Any]:
    """When the row was made: the start of its transaction."""
    return timestamp("created_at", nullable=False, server_default=text("now()"))


def updated_at() -> Column[Any]:
    """When the row last changed. A trigger keeps it; the code never writes it."""
    return timestamp("updated_at", nullable=False, server_default=text("now()"))


def counter(name: str, kind: Any) -> Column[Any]:
    """A number that starts at 0; `at_least_zero(name)` belongs beside it."""
    return Column(name, kind, nullable=False, server_default=text("0"))


def required_text(name: str, **options: Any) -> Column[Any]:
    """Text that must be there; `length(name, …)` beside it bounds it."""
    return Column(name, Text, nullable=False, **options)


def length(column: str, *, at_least: int = 0, at_most: int) -> CheckConstraint:
    """Bounds the characters of a text column. NULL passes, as in every CHECK."""
    return CheckConstraint(f"char_length({column}) between {at_least} and {at_most}", name=f"{column}_length")


def one_of(column: str, *values: str) -> CheckConstraint:
    """Allows only these words: a CHECK can be changed in one statement, an enum type cannot lose a value."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=f"{column}_known")


def at_least_zero(column: str) -> CheckConstraint:
    """Refuses negative numbers."""
    return CheckConstraint(f"{column} >= 0", name=f"{column}_not_negative")


def money_range(column: str) -> CheckConstraint:
    """Refuses negative amounts, and NaN, which Postgres sorts above every number."""
    return CheckConstraint(f"{column} between 0 and 9999999999.99", name=f"{column}_range")


def sha256_sized(column: str) -> CheckConstraint:
    """Allows only 32 bytes, so that no secret is stored where its hash belongs."""
    return CheckConstraint(f"octet_length({column}) = 32", name=f"{column}_is_sha256")
