"""The resource as a whole: its names, its columns, and the rules that see its name."""

from typing import ClassVar, NamedTuple

from pydantic import Field

from bilten_operator.api.block import Block
from bilten_operator.api.spec import Spec
from bilten_operator.api.spec_rules import INSTANCE_RULES
from bilten_operator.api.status import Status

GROUP = "bilten.io"
VERSION = "v1alpha1"
KIND = "BiltenInstance"
PLURAL = "bilteninstances"
SHORT_NAMES = ("bilten", "biltens")
#: `kubectl get bilten-all` lists every kind of ours. Not `all`: `kubectl delete all --all` would take data along.
CATEGORY = "bilten-all"


class Column(NamedTuple):
    """A column of `kubectl get`."""

    name: str
    path: str
    type: str = "string"


COLUMNS = (
    Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
    Column("Phase", ".status.phase"),
    Column("Version", ".status.version"),
    Column("Database", ".status.database.state"),
    Column("Storage", ".status.objectStorage.state"),
    Column("LastBackup", ".status.backup.lastSuccessful", "date"),
    Column("Age", ".metadata.creationTimestamp", "date"),
)


class BiltenInstance(Block):
    """One running Bilten: the API, its worker, its database, its object store, and the way in."""

    RULES: ClassVar = INSTANCE_RULES

    spec: Spec = Field(description="What is wanted.")
    status: Status | None = Field(None, description="What is. Written by the operator alone.")
