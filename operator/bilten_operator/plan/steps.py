"""The order in which an instance comes up, as data: what each step makes, how it is judged, how long it may take."""

from collections.abc import Callable
from dataclasses import dataclass

from bilten_operator.api.conditions import ConditionType
from bilten_operator.plan import buckets, judge, needs
from bilten_operator.plan.drift import inputs_of, larger, rendered
from bilten_operator.plan.judge import Verdict, waits
from bilten_operator.plan.model import Manifest, Ref, StepName
from bilten_operator.plan.scene import SECRET, Scene, content_hash
from bilten_operator.resources import (
    api,
    backup,
    database,
    exposure,
    migration,
    monitoring,
    object_store,
    policies,
    scanner,
    secrets,
    settings,
    worker,
)
from bilten_operator.resources.instance import COMPONENT


@dataclass(frozen=True)
class Step:
    """One step. All that it makes is applied before it is judged."""

    name: StepName
    #: What its verdict is told as; None: in `Ready` only.
    condition: ConditionType | None
    #: After so many seconds of waiting for one object, somebody should look.
    deadline_s: Callable[[Scene], int]
    make: Callable[[Scene], list[Manifest]]
    judge: Callable[[Scene, bool], Verdict]


def follows_from(scene: Scene, manifest: Manifest) -> str:
    """The hash of what an object is rendered from. Only pods read Secrets."""
    kind, instance = manifest["kind"], scene.instance
    if kind == "StatefulSet":
        return scene.inputs(instance.store_admin)
    if kind == "Deployment" and manifest["metadata"]["name"] != instance.scanner:
        return scene.inputs(*settings.service_secrets(instance))
    return scene.inputs()


#: Reasons of a step whose objects were not looked at, as they are not what is wanted.
NOT_JUDGED = {"Applying", "NameTaken", "Paused", "Waiting"}

#: What starts pods anew when it changes. An upgrade of the operator alone leaves these as they were rendered.
ROLLING = {"Deployment", "StatefulSet", "Cluster", "Pooler", "ConfigMap"}


def settled(scene: Scene, manifest: Manifest) -> Manifest:
    """What an object is to be: the new rendering, unless only the operator has changed since the last one."""
    found = scene.observed.objects.get(Ref.of(manifest))
    if found is None or manifest["kind"] not in ROLLING or inputs_of(found) != follows_from(scene, manifest):
        return manifest
    last = rendered(found)
    return {**last, "metadata": manifest["metadata"]} if last else manifest


def _of(scene: Scene, *components: str) -> list[Manifest]:
    """The NetworkPolicies of these components: before their pods."""
    made = policies.build(scene.instance, scene.operator, database_port=scene.database_port)
    return [policy for policy in made if policy["metadata"]["labels"][COMPONENT] in components]


def _make_secrets(scene: Scene) -> list[Manifest]:
    """What is kept up to date of those that exist. Generating them is not applying: see `generation`."""
    made = []
    for name, component in secrets.wanted(scene.instance).items():
        found = scene.find(SECRET, name)
        manifest = secrets.metadata(scene.instance, name, component)
        if found and ("ownerReferences" in manifest["metadata"] or rendered(found)):
            made.append(manifest)
    return made


def _judge_secrets(scene: Scene, _known_good: bool) -> Verdict:
    for name in secrets.wanted(scene.instance):
        if scene.find(SECRET, name) is None:
            ref = scene.ref(SECRET, name)
            used_by = _user_of(scene, name)
            if used_by:
                message = (
                    f"Secret {name} is gone, and {used_by.kind} {used_by.name} depends on what was in it. The operator "
                    "does not make another: restore it from a backup."
                )
                return waits("SecretLost", message, ref, failed=True)
            return waits("GeneratingSecrets", f"Secret {name} is being made.", ref)
    return Verdict(ready=True, reason="Ready", message="The Secrets are there.")


def generation(scene: Scene) -> list[Manifest]:
    """The Secrets to be made now: those that nothing has been built on yet."""
    return [
        secrets.build(scene.instance, name, component, scene.randomness)
        for name, component in secrets.wanted(scene.instance).items()
        if scene.find(SECRET, name) is None and _user_of(scene, name) is None
    ]


def _user_of(scene: Scene, secret: str) -> Ref | None:
    """An object that what was in the Secret matters to."""
    instance = scene.instance
    service = [("Deployment", instance.api), ("Deployment", instance.worker)]
    store = [("StatefulSet", instance.object_store), ("PersistentVolumeClaim", object_store.claim_name(instance))]
    users = {
        instance.keys: [*service, ("Cluster", instance.database)],
        instance.store_admin: store,
        instance.store_user: service,
        instance.backup_user: [("ObjectStore", instance.database)],
    }[secret]
    return next((scene.ref(kind, name) for kind, name in users if scene.find(kind, name)), None)


def _make_database(scene: Scene) -> list[Manifest]:
    managed = scene.instance.spec.database.managed
    if managed is None:
        return []
    made = _of(scene, database.COMPONENT, "pooler")
    if scene.instance.spec.backup:
        made.append(backup.object_store(scene.instance))
    made.append(database.cluster(scene.instance, scene.operator))
    if managed.pooler:
        made.append(database.pooler(scene.instance, managed.pooler))
    return made


def _judge_database(scene: Scene, _known_good: bool) -> Verdict:
    managed = scene.instance.spec.database.managed
    if managed is None:
        return Verdict(ready=True, reason="External", message="The database is run by others; its address is known.")
    verdict = judge.cluster(scene)
    if verdict.ready and managed.pooler:
        behind = judge.pooler(scene)
        return verdict if behind.ready else behind
    return verdict


def _make_store(scene: Scene) -> list[Manifest]:
    instance = scene.instance
    managed = instance.spec.object_storage.managed
    if managed is None:
        return []
    found = scene.find("StatefulSet", instance.object_store)
    claimed = None
    if found:
        template = found["spec"]["volumeClaimTemplates"][0]
        claimed = template["spec"]["resources"]["requests"]["storage"]
    hashed = content_hash(scene.secret_hash(instance.store_admin))
    made = [
        *_of(scene, object_store.COMPONENT),
        object_store.service(instance),
        object_store.stateful_set(instance, scene.operator, content_hash=hashed, claimed=claimed),
    ]
    claim = scene.find("PersistentVolumeClaim", object_store.claim_name(instance))
    if claim and larger(managed.size, claim["spec"]["resources"]["requests"]["storage"]):
        made.append(object_store.larger_claim(instance))
    return made


def _judge_store(scene: Scene, known_good: bool) -> Verdict:
    instance = scene.instance
    if instance.spec.object_storage.managed:
        verdict = judge.stateful_set(scene, instance.object_store, object_store.COMPONENT)
        if not verdict.ready:
            return verdict
    return buckets.verdict(scene, known_good=known_good)


def store_answers(scene: Scene) -> bool:
    """Whether buckets can be asked for: the managed store runs, or the keys of another are known."""
    instance = scene.instance
    if instance.spec.object_storage.managed:
        return judge.stateful_set(scene, instance.object_store, object_store.COMPONENT).ready
    return needs.unmet(scene, StepName.BUCKETS) is None


def _make_migration(scene: Scene) -> list[Manifest]:
    # Backups begin when there are buckets for them, and before anything touches the schema.
    schedules = backup.schedules(scene.instance, scene.now) if scene.instance.spec.backup else []
    return [*_of(scene, migration.COMPONENT), *schedules]


def _judge_migration(scene: Scene, _known_good: bool) -> Verdict:
    return judge.job(scene, scene.instance.migration)


def _make_rollout(scene: Scene) -> list[Manifest]:
    instance, operator = scene.instance, scene.operator
    configuration = settled(scene, settings.config_map(instance))
    service_hash = content_hash(scene.secret_hash(*settings.service_secrets(instance)), configuration["data"])
    made = [*_of(scene, api.COMPONENT, worker.COMPONENT, scanner.COMPONENT), configuration]
    worker_hash = service_hash
    if instance.spec.scanner.mode != "External":
        clamav = settled(scene, scanner.configuration(instance))
        made.append(clamav)
        if instance.spec.scanner.mode == "Shared":
            made += scanner.shared(instance, operator, content_hash=content_hash(clamav["data"]))
        else:
            worker_hash = content_hash(service_hash, clamav["data"])
    made += [
        api.service(instance),
        api.deployment(instance, operator, content_hash=service_hash),
        worker.deployment(instance, operator, content_hash=worker_hash),
    ]
    optional = [
        api.autoscaler(instance),
        api.disruption_budget(instance, instance.api, api.COMPONENT, api.fewest(instance)),
        api.disruption_budget(instance, instance.worker, worker.COMPONENT, instance.spec.worker.replicas),
    ]
    monitors = [made for made in monitoring.build(instance) if scene.knows("monitoring.coreos.com", made["kind"])]
    return [*made, *filter(None, optional), *monitors]


def _judge_rollout(scene: Scene, _known_good: bool) -> Verdict:
    verdicts = [judge_api(scene), judge_worker(scene)]
    if scene.instance.spec.scanner.mode == "Shared":
        verdicts.append(judge_scanner(scene))
    return next((verdict for verdict in verdicts if not verdict.ready), verdicts[0])


def judge_api(scene: Scene) -> Verdict:
    """Whether the API answers."""
    return judge.deployment(scene, scene.instance.api, api.COMPONENT)


def judge_worker(scene: Scene) -> Verdict:
    """Whether the worker is at work."""
    return judge.deployment(scene, scene.instance.worker, worker.COMPONENT)


def judge_scanner(scene: Scene) -> Verdict:
    """Whether the scanner answers, as far as this operator runs it."""
    wanted = scene.instance.spec.scanner
    if wanted.external:
        message = f"The scanner at {wanted.external.host}:{wanted.external.port} is run by others."
        return Verdict(ready=True, reason="External", message=message)
    if wanted.mode == "Shared":
        return judge.deployment(scene, scene.instance.scanner, scanner.COMPONENT)
    return judge_worker(scene)


def _make_exposure(scene: Scene) -> list[Manifest]:
    return exposure.build(scene.instance)


def _judge_exposure(scene: Scene, _known_good: bool) -> Verdict:
    for manifest in exposure.build(scene.instance):
        if manifest["kind"] == "HTTPRoute":
            verdict = judge.route(scene, manifest["metadata"]["name"])
            if not verdict.ready:
                return verdict
    return Verdict(ready=True, reason="Exposed", message="The way in is there.")


def _after(seconds: int) -> Callable[[Scene], int]:
    return lambda _scene: seconds


#: A migration's own deadline, and time for its pod to be stopped and told of.
_MIGRATION_SLACK_S = 120

STEPS = (
    Step(StepName.SECRETS, None, _after(60), _make_secrets, _judge_secrets),
    Step(StepName.DATABASE, ConditionType.DATABASE_READY, _after(900), _make_database, _judge_database),
    Step(StepName.BUCKETS, ConditionType.STORAGE_READY, _after(300), _make_store, _judge_store),
    Step(
        StepName.MIGRATION,
        ConditionType.MIGRATIONS_APPLIED,
        lambda scene: migration.deadline_s(scene.instance) + _MIGRATION_SLACK_S,
        _make_migration,
        _judge_migration,
    ),
    Step(StepName.ROLLOUT, ConditionType.API_AVAILABLE, _after(900), _make_rollout, _judge_rollout),
    Step(StepName.EXPOSURE, None, _after(300), _make_exposure, _judge_exposure),
)
