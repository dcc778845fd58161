"""`spec.database`: a Postgres that the operator runs through CloudNativePG, or one that exists."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bilten_operator.api.block import Block, by_environment, everywhere
from bilten_operator.api.managed import ManagedOrExternal, fixed_class, fixed_mode
from bilten_operator.api.rules import Checked, Rule, belongs, needs
from bilten_operator.api.values import ObjectName, SecretRef, Size

#: What `storage.size` is in each environment when left out; shrinking is judged by it, too.
DATABASE_SIZE = {"development": "2Gi", "staging": "10Gi", "production": "20Gi"}

Parameters = Annotated[
    dict[str, Annotated[str, Field(max_length=512)]],
    Field(max_length=100),
    Checked(
        Rule(
            r"self.all(name, name.matches('^[a-z][a-z0-9_]{0,62}(\\.[a-z][a-z0-9_]{0,62})?$'))",
            "{field} must have Postgres's names as keys, like work_mem or auto_explain.log_min_duration",
        )
    ),
]


class DatabaseStorage(Block):
    """The volume of each Postgres instance."""

    size: Size = by_environment(**DATABASE_SIZE, description="Size of the volume. May grow, never shrink.")
    class_name: ObjectName | None = Field(
        None, description="StorageClass; the cluster's default if left out. Cannot be changed."
    )


class Pooler(Block):
    """PgBouncer before the database."""

    instances: int = by_environment(
        development=1, staging=1, production=2, ge=1, le=20, description="Number of PgBouncer pods."
    )


class ManagedDatabase(Block):
    """A Postgres cluster of this instance's own."""

    instances: int = by_environment(
        development=1, staging=1, production=3, ge=1, le=9,
        description="Number of Postgres instances: one primary, the others standbys. With two or more, a commit waits "
        "for one standby if there is one.",
    )  # fmt: skip
    storage: DatabaseStorage = everywhere({}, description="The volume of each Postgres instance.")
    pooler: Pooler | None = Field(None, description="Put PgBouncer before the database; none if left out.")
    parameters: Parameters = everywhere({}, description="Settings of Postgres, each value a string.")


class ExternalDatabase(Block):
    """A Postgres that somebody else runs and backs up."""

    secret_ref: SecretRef = Field(
        description="Secret whose key `url` holds the address, `postgresql://user:password@host:port/name`."
    )


class Database(ManagedOrExternal):
    """Where rows are kept."""

    RULES: ClassVar = (
        *needs("External", "external", "name the Secret with the address in external.secretRef"),
        belongs("Managed", "managed"),
        fixed_class("managed.storage.className", "make a new instance and restore a backup into it"),
    )

    mode: Annotated[Literal["Managed", "External"], Checked(fixed_mode("the data"))] = Field(
        description="Managed: the operator runs Postgres. External: it uses one that exists. Cannot be changed."
    )
    managed: ManagedDatabase | None = Field(None, description="How the operator runs Postgres.")
    external: ExternalDatabase | None = Field(None, description="Which Postgres to use.")
