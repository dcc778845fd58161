"""`spec`: one running Bilten, as a platform engineer asks for it."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from bilten_operator.api.block import Block, Environment, everywhere
from bilten_operator.api.config import Config
from bilten_operator.api.database import Database
from bilten_operator.api.exposure import Exposure
from bilten_operator.api.object_storage import ObjectStorage
from bilten_operator.api.operations import Backup, Migrations, Monitoring, NetworkPolicy
from bilten_operator.api.rules import Checked, Rule
from bilten_operator.api.scanner import Scanner
from bilten_operator.api.spec_rules import SPEC_RULES
from bilten_operator.api.workloads import Api, Worker


class Spec(Block):
    """What is wanted."""

    RULES: ClassVar = SPEC_RULES

    environment: Annotated[
        Environment,
        Checked(
            Rule(
                "self == oldSelf",
                "{field} cannot be changed, as data of one environment does not belong in another: set it back, or "
                "make a new instance",
                reason="FieldValueForbidden",
            )
        ),
    ] = Field(description="development, staging or production: decides what is left out. Cannot be changed.")
    image: Annotated[
        str,
        Field(min_length=1, max_length=512),
        Checked(
            Rule(r"self.matches('^\\S+$')", "{field} must be the name of an image, like bilten:1.2.3, without spaces")
        ),
    ] = Field(description="Image of the API and the worker. Outside development it is named by its @sha256: digest.")
    debugpy: bool = everywhere(
        False, description="Let a debugger attach to the API on port 5678 of its pod. In development only."
    )
    api: Api = everywhere({}, description="The pods that answer HTTP.")
    worker: Worker = everywhere({}, description="The pods that work off the outbox and scan files.")
    config: Config | None = Field(None, description="Settings of the API and the worker.")
    exposure: Exposure = everywhere({}, description="Whether and how the API is reached from outside the cluster.")
    database: Database = Field(description="Where rows are kept.")
    object_storage: ObjectStorage = Field(
        description="Where files are kept. The buckets are called `<namespace>-<name>-quarantine`, `-media` and "
        "`-backup`, shortened where that is longer than 63 characters."
    )
    scanner: Scanner = everywhere({}, description="Where ClamAV runs.")
    migrations: Migrations = everywhere({}, description="The Job that brings the database's schema up to date.")
    backup: Backup | None = Field(
        None,
        description="Backups of a managed database. Left out, staging and production are backed up by the defaults, "
        "development is not.",
    )
    monitoring: Monitoring = everywhere({}, description="What Prometheus's operator finds, where it is installed.")
    network_policy: NetworkPolicy = everywhere({}, description="Which pods may talk to which.")
    deletion_policy: Literal["Retain", "Delete"] = everywhere(
        "Retain",
        description="What becomes of the database, the files and the keys when the resource is deleted. Retain keeps "
        "them; Delete deletes them too.",
    )
    drift_policy: Literal["Correct", "Report"] = everywhere(
        "Correct",
        description="What becomes of changes that others make to what the operator made. Correct undoes them; Report "
        "only tells.",
    )
    paused: bool = everywhere(False, description="Change nothing for now. Deletion still works.")

    @classmethod
    def fill(cls, values: dict[str, Any], environment: Environment) -> dict[str, Any]:
        """A managed database with data worth keeping is backed up even where nobody asked for it."""
        database = values.get("database")
        if environment != "development" and isinstance(database, dict) and database.get("mode") == "Managed":
            values.setdefault("backup", {})
        return super().fill(values, environment)


def effective(spec: Mapping[str, Any]) -> Spec:
    """The stored `spec` with all that it leaves out. Raises pydantic's ValidationError on what the CRD would refuse."""
    return Spec.model_validate(spec, context={"environment": spec.get("environment", "development")})
