"""What a kind of job is: its name, what it needs to know, who does it, and how long that may take."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

PayloadT = TypeVar("PayloadT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a job, as its handler sees it."""

    id: UUID
    kind: str
    attempt: int
    #: Whether there is no other attempt after this one.
    last: bool


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[PayloadT]):
    """One kind of job.

    `handle` is called at least once: after a crash, a lost lease or a lost answer of the database the same job comes
    again, so doing it twice must leave what doing it once leaves; the job's id tells the runs of one job from another
    job. Any exception it raises means: try again later. It is cancelled after `timeout_s` seconds.
    """

    name: str
    payload: type[PayloadT]
    handle: Callable[[Job, PayloadT], Awaitable[None]]
    timeout_s: float
    #: Whether it takes so long that what is quick, as mails are, must not wait behind many of it.
    heavy: bool = False
