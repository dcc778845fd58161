"""`status`: what the operator tells. It is the only one to write it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from bilten_operator.api.block import Block
from bilten_operator.api.conditions import ConditionType
from bilten_operator.api.spec import Spec

#: Texts that come from other objects; the API server would refuse a status that is longer.
Message = Annotated[str, Field(max_length=2048)]
Short = Annotated[str, Field(max_length=253)]

#: Never negative, and 64 bits wide in Kubernetes.
Generation = Annotated[int, Field(ge=0), WithJsonSchema({"type": "integer", "format": "int64", "minimum": 0})]


class Condition(Block):
    """One aspect of the instance, in Kubernetes's own form."""

    # No enumeration on the wire: an operator newer than the CRD must be able to write its status.
    type: Annotated[ConditionType, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 64})] = Field(
        description="Which aspect: see the list of conditions."
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    observed_generation: Generation = Field(description="Generation of the spec that this was said of.")
    last_transition_time: datetime = Field(description="When the status became another than before.")
    reason: Annotated[str, Field(min_length=1, max_length=128)] = Field(description="Why, in one CamelCase word.")
    message: Message = Field(description="Why, in a sentence.")


class WaitingFor(Block):
    """The one object that holds the instance up."""

    kind: Short = Field(description="Kind of the object.")
    name: Short = Field(description="Its name.")
    message: Message = Field(description="What it says of itself, or what is wrong with it.")
    since: datetime = Field(description="Since when it holds the instance up.")


class PartStatus(Block):
    """The database, or the object store, in a few words."""

    state: Short = Field(description="Ready, or what it does instead, like `1/2 ready`.")


class BackupStatus(Block):
    """What is known of the backups."""

    last_successful: datetime | None = Field(None, description="When the newest complete base backup was made.")


class ScannerStatus(Block):
    """What looks at files, as a worker last told."""

    engine: Short = Field(description="The engine, like `clamav 1.4.3`.")
    signatures: Short = Field(
        description="Which signatures it has: the number of ClamAV's own, or a hash of those of others. "
        "`unnumbered` where it does not say."
    )
    signatures_made_at: datetime | None = Field(
        None, description="When the newest of them came; left out where it does not say."
    )


class BucketNames(Block):
    """What the buckets are called."""

    quarantine: Short = Field(description="Where uploaded files wait to be scanned.")
    media: Short = Field(description="Where clean files are.")
    backup: Short = Field(description="Where backups of the database are.")


class Status(Block):
    """What is."""

    observed_generation: Generation | None = Field(None, description="Generation of the spec that this is about.")
    phase: Short | None = Field(
        None, description="Pending, Progressing, Ready, Degraded, Paused or Deleting: the conditions in one word."
    )
    version: Short | None = Field(None, description="Version of the service that answers.")
    database: PartStatus | None = Field(None, description="The database in a few words.")
    object_storage: PartStatus | None = Field(None, description="The object store in a few words.")
    backup: BackupStatus | None = Field(None, description="What is known of the backups.")
    scanner: ScannerStatus | None = Field(None, description="What looks at files, as a worker last told.")
    buckets: BucketNames | None = Field(None, description="What the buckets are called.")
    waiting_for: WaitingFor | None = Field(None, description="The one object that holds the instance up.")
    conditions: list[Condition] = Field(
        default_factory=list,
        max_length=32,
        description="Aspects of the instance, one each.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    effective: Spec | None = Field(
        None, description="The spec with everything that it leaves out. `spec` itself stays as it was written."
    )
