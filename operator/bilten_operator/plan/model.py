"""What goes into a plan and what comes out of it: the whole interface between planning and the API server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from bilten_operator.resources.operator_config import OperatorConfig
from bilten_operator.resources.randomness import KeyPair, Randomness

__all__ = [
    "Action",
    "ActionResult",
    "Answer",
    "Apply",
    "CreateOnce",
    "Delete",
    "DeleteBuckets",
    "EnsureBuckets",
    "Event",
    "KeyPair",
    "Observed",
    "OperatorConfig",
    "Plan",
    "Question",
    "Randomness",
    "Ref",
    "Signatures",
    "StepName",
    "StoreUser",
    "Write",
]

Manifest = dict[str, Any]


class Ref(NamedTuple):
    """Names one object of the cluster. `namespace` is None where the kind has none."""

    api_version: str
    kind: str
    namespace: str | None
    name: str

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> "Ref":
        """The name of an object as it is written, or as the API server returns it."""
        metadata = manifest["metadata"]
        return cls(manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"])

    @property
    def group(self) -> str:
        """API group; empty for the core."""
        return self.api_version.rpartition("/")[0]


class StepName(StrEnum):
    """The order in which an instance comes up, and is changed."""

    SECRETS = "secrets"
    DATABASE = "database"
    BUCKETS = "buckets"
    MIGRATION = "migration"
    ROLLOUT = "rollout"
    EXPOSURE = "exposure"


@dataclass(frozen=True)
class Apply:
    """Server-side apply with force. The manifest holds only fields that are ours."""

    step: StepName
    manifest: Manifest = field(repr=False)
    why: str
    #: Undoes what somebody else changed, and is counted and told as that.
    drift: bool = False
    #: Field manager, where it is not the operator's usual one.
    manager: str | None = None


@dataclass(frozen=True)
class CreateOnce:
    """Create; that it exists already is as good. Secrets that are generated, Jobs."""

    step: StepName
    manifest: Manifest = field(repr=False)
    why: str


@dataclass(frozen=True)
class Delete:
    """Delete this very object (precondition `uid`); that it is gone already is as good. Dependents in background."""

    step: StepName
    ref: Ref
    uid: str
    why: str


@dataclass(frozen=True)
class StoreUser:
    """An account of the managed store that may read and write these buckets and nothing else."""

    #: Secret with the keys `accessKey` and `secretKey` that the account is to have.
    secret: Ref
    buckets: tuple[str, ...]


@dataclass(frozen=True)
class EnsureBuckets:
    """Make buckets private, marked as this instance's own, and the accounts that use them. Idempotent.

    A bucket whose mark names another owner is refused: the result then says so. What its result is goes into
    `Observed.results` under `key`.
    """

    step: StepName
    key: str
    endpoint: str
    region: str
    #: Secret with the keys `accessKey` and `secretKey` of the account that does it.
    credentials: Ref
    buckets: tuple[str, ...]
    owner: str
    #: Only a managed store has an interface to make accounts.
    users: tuple[StoreUser, ...]
    why: str


@dataclass(frozen=True)
class DeleteBuckets:
    """Empty and remove the buckets that are marked as this owner's. Buckets of others are left alone. Idempotent."""

    key: str
    endpoint: str
    region: str
    credentials: Ref
    buckets: tuple[str, ...]
    owner: str
    why: str
    step: StepName = StepName.BUCKETS


Action = EnsureBuckets | DeleteBuckets
Write = Apply | CreateOnce | Delete | EnsureBuckets | DeleteBuckets


@dataclass(frozen=True)
class ActionResult:
    """What became of the latest try of an action."""

    ok: bool
    at: datetime
    #: Why it failed, in a sentence without secrets.
    message: str = ""
    #: How many tries have failed since the last one that did not.
    failures: int = 0


@dataclass(frozen=True)
class Question:
    """Which signatures a worker's scanner has: of its pod only can that be learned. It is asked beside all else, and
    what comes of it goes into `Observed.answer`."""

    #: UID of the pod.
    pod: str
    host: str
    port: int


@dataclass(frozen=True)
class Signatures:
    """What a worker tells of its scanner: the engine, which signatures it has, and of when they are, if it knows."""

    engine: str
    version: str
    made_at: datetime | None


@dataclass(frozen=True)
class Answer:
    """What became of the latest question."""

    question: Question
    at: datetime
    #: None where it was not told.
    signatures: Signatures | None
    #: How many have not been answered since the last one that was.
    failures: int = 0


@dataclass(frozen=True)
class Observed:
    """What there is, as the caches of the watches know it."""

    #: What belongs to the instance or is referenced by it, as raw API objects, Secrets included.
    objects: Mapping[Ref, Manifest]
    #: (group, kind) of what the cluster does not know because its CRD is not installed.
    missing_kinds: frozenset[tuple[str, str]] = frozenset()
    #: Latest result of each action by its key. Lost when the operator restarts: the action is then tried again.
    results: Mapping[str, ActionResult] = field(default_factory=dict)
    #: Lost when the operator restarts, too.
    answer: Answer | None = None


@dataclass(frozen=True)
class Event:
    """A Kubernetes Event about the instance."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True)
class Plan:
    """What to do next, in this order, and what to tell."""

    writes: tuple[Write, ...]
    #: The whole of `status`, `observedGeneration` included. Empty: leave it as it is.
    status: dict[str, Any]
    events: tuple[Event, ...]
    #: Plan again after so many seconds even if nothing happens; None: not needed.
    wake_after_s: float | None
    wants_finalizer: bool
    #: To be asked now.
    question: Question | None = None
