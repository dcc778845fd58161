"""Brings one instance a step further: observe, plan, write one thing after the other, tell.

Everything that the next run needs is in the cluster, so it may be killed between any two writes: each write is
idempotent, Events are named by what they tell, and status comes last. What an action on an object store came to is the
one thing kept in memory; without it the action is done again.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bilten_operator.cluster.cache import Cache, Key, owner
from bilten_operator.cluster.client import FIELD_MANAGER, Client
from bilten_operator.cluster.conditions_metric import forget_conditions, tell_conditions
from bilten_operator.cluster.errors import ApiError, Conflict, Missing, Refused, Unavailable
from bilten_operator.cluster.events import event_manifest
from bilten_operator.cluster.kinds import INSTANCE, kind_of
from bilten_operator.cluster.object_store import ObjectStores
from bilten_operator.cluster.refusal import blocked
from bilten_operator.cluster.worker_port import Questions
from bilten_operator.cluster.workqueue import Retry
from bilten_operator.metrics import RECONCILE_SECONDS, RECONCILES, WRITES
from bilten_operator.plan.model import (
    Action,
    ActionResult,
    Apply,
    CreateOnce,
    Delete,
    DeleteBuckets,
    EnsureBuckets,
    Event,
    Observed,
    Plan,
    Ref,
    Write,
)

log = logging.getLogger(__name__)

Object = dict[str, Any]
Planner = Callable[[Object, Observed, datetime], Plan]
References = Callable[[Object, Mapping[Ref, Object]], Iterable[Ref]]

#: There only while deleting an instance has work to do: a finalizer with the operator gone hangs every deletion.
FINALIZER = "bilten.io/cleanup"

#: What the spec names without its being watched is looked at again after so long, and all else with it.
RESYNC_S = 600.0


def now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class Reconciler:
    """Runs plans. One instance must not be in two runs at once; the queue sees to that."""

    def __init__(
        self,
        client: Client,
        cache: Cache,
        stores: ObjectStores,
        planner: Planner,
        references: References,
        *,
        missing_kinds: Callable[[], frozenset[tuple[str, str]]],
        resync_s: float = RESYNC_S,
        clock: Callable[[], datetime] = now,
        questions: Questions | None = None,
    ) -> None:
        self._client = client
        self._cache = cache
        self._stores = stores
        self._questions = questions or Questions()
        self._planner = planner
        self._references = references
        self._missing_kinds = missing_kinds
        self._resync_s = resync_s
        self._clock = clock
        self._results: dict[Key, dict[str, ActionResult]] = {}
        self._strangers: dict[Key, set[Ref]] = {}

    async def __call__(self, key: Key) -> float | None:
        """Seconds after which to look again; None of an instance that is gone. Raises Retry."""
        began = time.monotonic()
        outcome = "error"
        try:
            again_s = await self._run(key)
            outcome = "gone" if again_s is None else "ok"
        except Conflict as error:
            outcome = "conflict"
            # Somebody else was faster, and nobody is sick.
            raise Retry(str(error), within_s=2) from None
        except Unavailable as error:
            outcome = "unavailable"
            raise Retry(str(error), after_s=error.retry_after_s or 0) from None
        except ApiError as error:
            outcome = "refused"
            raise Retry(str(error)) from None
        finally:
            RECONCILES.labels(outcome).inc()
            RECONCILE_SECONDS.observe(time.monotonic() - began)
        return again_s

    async def _run(self, key: Key) -> float | None:
        instance = await self._client.get(INSTANCE, key.namespace, key.name)
        if instance is None:
            forget_conditions(key)
            self._strangers.pop(key, None)
            self._results.pop(key, None)
            self._questions.forget(key)
            return None
        # Their keys are made of the UID: those of an earlier instance of this name say nothing of this one.
        results = self._results.setdefault(key, {})
        moment = self._clock()
        observed = await self._observe(key, instance, results)
        plan = self._planner(instance, observed, moment)
        # Whole objects are not kept while writing: many instances write at once.
        there = frozenset(observed.objects)
        del observed

        if plan.wants_finalizer and "deletionTimestamp" not in instance["metadata"]:
            instance = await self._finalize(instance, wanted=True)
        acted = False
        refusal: tuple[Ref, ApiError] | None = None
        for write in plan.writes:
            try:
                if isinstance(write, Apply | CreateOnce) and await self._taken(key, write, there):
                    return 0.0  # the plan has to know
                acted |= await self._write(write, results)
            except (Refused, Missing) as error:
                # In order: what follows may need what was refused. It is told, and tried again.
                refusal = (_ref(write), error)
                break
        status = plan.status
        if refusal and status:
            status = blocked(status, instance.get("status") or {}, refusal[0], refusal[1].message, moment)
        await self._tell(instance, plan.events)
        instance = await self._write_status(instance, status)
        if not plan.wants_finalizer and not refusal:
            await self._finalize(instance, wanted=False)
        if plan.question:
            self._questions.ask(key, plan.question)
        tell_conditions(key, status)
        if refusal:
            raise refusal[1]
        # What an action came to is news to the plan.
        return 0.0 if acted else min(self._resync_s, plan.wake_after_s or self._resync_s)

    async def _observe(self, key: Key, instance: Object, results: dict[str, ActionResult]) -> Observed:
        objects = self._cache.objects(key)
        strangers = self._strangers.pop(key, set())
        for ref in {*self._references(instance, objects), *strangers} - objects.keys():
            if found := await self._get(ref):
                objects[ref] = found
                if ref in strangers:
                    self._strangers.setdefault(key, set()).add(ref)
        return Observed(objects, self._missing_kinds(), dict(results), self._questions.answer(key))

    async def _taken(self, key: Key, write: Apply | CreateOnce, there: frozenset[Ref]) -> bool:
        """Whether something of that name is there that the watches do not tell of, as it does not have our labels."""
        ref = Ref.of(write.manifest)
        if ref in there or (isinstance(write, Apply) and write.manager):
            return False
        found = await self._get(ref)
        if found is None:
            return False
        whose = owner(found)
        if whose == key:
            self._cache.put(found)
        elif not _applied(found) or (whose and await self._client.get(INSTANCE, *whose)):
            self._strangers.setdefault(key, set()).add(ref)
            return True
        return False

    async def _write(self, write: Write, results: dict[str, ActionResult]) -> bool:
        """True when it was an action, whose result is then there."""
        match write:
            case Apply(manifest=manifest):
                options = {"manager": write.manager} if write.manager else {}
                self._cache.put(await self._client.apply(manifest, **options))
            case CreateOnce(manifest=manifest):
                if made := await self._client.create(manifest):
                    self._cache.put(made)
            case Delete(ref=ref, uid=uid):
                await self._client.delete(kind_of(ref.api_version, ref.kind), ref.namespace, ref.name, uid=uid)
            case EnsureBuckets() | DeleteBuckets():
                results[write.key] = await self._act(write, results.get(write.key))
                return True
        WRITES.labels(_ref(write).kind, type(write).__name__).inc()
        log.info("%s %s: %s", type(write).__name__, "/".join(part or "" for part in _ref(write)[1:]), write.why)
        return False

    async def _act(self, action: Action, before: ActionResult | None) -> ActionResult:
        problem = await self._stores.act(action, self._get)
        log.log(logging.WARNING if problem else logging.INFO, "%s: %s: %s", action.key, action.why, problem or "done")
        failures = 1 + (before.failures if before else 0) if problem else 0
        return ActionResult(not problem, self._clock(), problem or "", failures)

    async def _get(self, ref: Ref) -> Object | None:
        return await self._client.get(kind_of(ref.api_version, ref.kind), ref.namespace, ref.name)

    async def _tell(self, instance: Object, events: Iterable[Event]) -> None:
        for event in events:
            try:
                await self._client.create(event_manifest(instance, event, self._clock()))
            except ApiError as error:
                log.warning("An Event could not be written: %s", error)

    async def _write_status(self, instance: Object, status: Object) -> Object:
        if not status or status == instance.get("status"):
            return instance
        metadata = instance["metadata"]
        named = {name: metadata[name] for name in ("name", "namespace", "resourceVersion")}
        try:
            return await self._client.apply_status(
                {"apiVersion": instance["apiVersion"], "kind": instance["kind"], "metadata": named, "status": status}
            )
        except Missing:
            return instance  # deleted meanwhile; the next run finds that out

    async def _finalize(self, instance: Object, *, wanted: bool) -> Object:
        metadata = instance["metadata"]
        there: list[str] = metadata.get("finalizers", [])
        if (FINALIZER in there) == wanted:
            return instance
        finalizers = [*there, FINALIZER] if wanted else [name for name in there if name != FINALIZER]
        change = {"metadata": {"resourceVersion": metadata["resourceVersion"], "finalizers": finalizers}}
        return await self._client.merge(INSTANCE, metadata["namespace"], metadata["name"], change)


def _applied(found: Object) -> bool:
    """Whether the operator has ever applied it: somebody took its labels away, but it is ours."""
    fields = found["metadata"].get("managedFields") or []
    return any(field.get("manager") == FIELD_MANAGER for field in fields)


def _ref(write: Write) -> Ref:
    match write:
        case Apply(manifest=manifest) | CreateOnce(manifest=manifest):
            return Ref.of(manifest)
        case Delete(ref=ref):
            return ref
        case EnsureBuckets(credentials=ref) | DeleteBuckets(credentials=ref):
            return ref
