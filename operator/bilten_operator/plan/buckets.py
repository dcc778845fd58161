"""The buckets: which are wanted where, and what became of the latest try to have them."""

from collections.abc import Iterator
from datetime import timedelta

from bilten_operator.plan.drift import digest
from bilten_operator.plan.judge import Verdict, waits
from bilten_operator.plan.model import ActionResult, DeleteBuckets, EnsureBuckets, Ref, StepName, StoreUser
from bilten_operator.plan.scene import SECRET, Scene
from bilten_operator.resources import backup, settings

#: A store that forgot them, as one on a lost volume does, has them again after so long.
AGAIN_AFTER = timedelta(minutes=10)
#: Longest that a failed try is the last one. At first it is tried sooner: a store that has just started may be ready
#: before its Service leads to it.
RETRY_AFTER = timedelta(seconds=10)
_FIRST_RETRY_AFTER = timedelta(seconds=1)


def wanted(scene: Scene) -> list[EnsureBuckets]:
    """One action per store."""
    instance = scene.instance
    names = instance.buckets
    own = instance.spec.backup.object_storage if instance.spec.backup else None
    here = [names.quarantine, names.media]
    if instance.spec.backup and own is None:
        here.append(names.backup)
    managed = instance.spec.object_storage.mode == "Managed"
    users = [StoreUser(scene.ref(SECRET, instance.store_user), (names.quarantine, names.media))] if managed else []
    if managed and names.backup in here:
        users.append(StoreUser(scene.ref(SECRET, instance.backup_user), (names.backup,)))
    admin = instance.store_admin if managed else instance.store_user
    made = [
        _action(scene, settings.store_endpoint(instance), settings.region(instance), admin, tuple(here), tuple(users))
    ]
    if own:
        made.append(_action(scene, backup.endpoint(instance), own.region, instance.backup_user, (names.backup,), ()))
    return made


def due(scene: Scene) -> Iterator[EnsureBuckets]:
    """The actions to be tried now."""
    for action in wanted(scene):
        result = scene.result(action.key)
        if result is None or scene.now - result.at >= _again_after(result):
            yield action


def verdict(scene: Scene, *, known_good: bool) -> Verdict:
    """Whether all are there. `known_good`: the last status said so; an operator that just started believes it."""
    for action in wanted(scene):
        result = scene.result(action.key)
        ref = Ref("s3", "Bucket", scene.instance.namespace, action.buckets[0])
        if result is None and not known_good:
            return waits("CreatingBuckets", f"The buckets at {action.endpoint} are being made.", ref)
        if result is not None and not result.ok:
            return waits("BucketsFailed", f"{action.endpoint}: {result.message}", ref)
    return Verdict(ready=True, reason="Ready", message="The object store answers, and the buckets are there.")


def next_look_s(scene: Scene) -> float:
    """Seconds until an action is due again."""
    waits_s = [AGAIN_AFTER.total_seconds()]
    for action in wanted(scene):
        result = scene.result(action.key)
        if result is None:
            waits_s.append(RETRY_AFTER.total_seconds())
        else:
            wait = _again_after(result) - (scene.now - result.at)
            waits_s.append(max(0.5, wait.total_seconds()))
    return min(waits_s)


def _again_after(result: ActionResult) -> timedelta:
    if result.ok:
        return AGAIN_AFTER
    return min(RETRY_AFTER, _FIRST_RETRY_AFTER * 2.0 ** min(max(0, result.failures - 1), 8))


def removals(scene: Scene) -> list[DeleteBuckets]:
    """What deletes the files of stores that are not deleted with the instance themselves."""
    actions = wanted(scene)
    if scene.instance.spec.object_storage.mode == "Managed":
        actions = [action for action in actions if not action.users]
    return [
        DeleteBuckets(
            key=f"delete-{action.key}",
            endpoint=action.endpoint,
            region=action.region,
            credentials=action.credentials,
            buckets=action.buckets,
            owner=action.owner,
            why="deletionPolicy is Delete",
        )
        for action in actions
    ]


def _action(
    scene: Scene, endpoint: str, region: str, admin: str, names: tuple[str, ...], users: tuple[StoreUser, ...]
) -> EnsureBuckets:
    owner = scene.data_owner
    # With another password of the same account the try is another one.
    secrets = scene.secret_hash(admin, *(user.secret.name for user in users))
    return EnsureBuckets(
        step=StepName.BUCKETS,
        key=digest([scene.instance.uid, endpoint, region, names, owner, secrets]),
        endpoint=endpoint,
        region=region,
        credentials=scene.ref(SECRET, admin),
        buckets=names,
        owner=owner,
        users=users,
        why="buckets are made once, and looked after",
    )
