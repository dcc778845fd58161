"""What others have to provide: Secrets, classes, Gateways that the spec names, and kinds of other operators.

A missing one is told, waited for, and taken up when it appears. The operator never writes any of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bilten_operator.plan.judge import Verdict, waits
from bilten_operator.plan.model import Manifest, Ref, StepName
from bilten_operator.plan.scene import Scene
from bilten_operator.resources import settings
from bilten_operator.resources.instance import Instance


@dataclass(frozen=True)
class Need:
    """An object of others, and what must be in it."""

    step: StepName
    ref: Ref
    why: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """A kind that another operator brings."""

    step: StepName
    group: str
    kind: str
    bring: str


def references(resource: Mapping[str, Any], objects_of_it: Mapping[Ref, Manifest]) -> tuple[Ref, ...]:
    """The objects to observe for a BiltenInstance that are not labelled as ours: those that the spec names, and those
    that CloudNativePG makes of what is. None where the spec cannot be read."""
    try:
        instance = Instance.read(resource)
    except ValidationError:
        return ()
    account, _ = settings.database_secret(instance)
    made = [Ref("v1", "Secret", instance.namespace, account)]
    if instance.spec.database.managed and instance.spec.database.managed.pooler:
        made.append(Ref("apps/v1", "Deployment", instance.namespace, instance.pooler))
    if instance.spec.backup:
        cluster = objects_of_it.get(Ref("postgresql.cnpg.io/v1", "Cluster", instance.namespace, instance.database), {})
        names = cluster.get("status", {}).get("instanceNames") or []
        made += [Ref("v1", "Pod", instance.namespace, name) for name in names]
    return tuple(dict.fromkeys((*made, *(need.ref for need in objects(instance)))))


def of_others(instance: Instance, ref: Ref) -> bool:
    """Whether no watch tells of this object, or of what makes it ready."""
    named = {need.ref for need in objects(instance)}
    of_database = ref.kind in {"Pod", "Secret"} and ref.name.startswith(f"{instance.database}-")
    return ref in named or ref.kind in {"CustomResourceDefinition", "Pooler"} or of_database


def objects(instance: Instance) -> Iterator[Need]:
    """What the spec names."""
    spec = instance.spec
    if spec.database.external:
        yield _secret(
            instance, StepName.DATABASE, spec.database.external.secret_ref.name, "database.external", ("url",)
        )
    if spec.database.managed and spec.database.managed.storage.class_name:
        yield _storage_class(StepName.DATABASE, spec.database.managed.storage.class_name)
    if spec.backup and spec.backup.object_storage:
        yield _account(instance, StepName.DATABASE, spec.backup.object_storage.secret_ref.name, "backup.objectStorage")
    if spec.object_storage.external:
        name = spec.object_storage.external.secret_ref.name
        yield _account(instance, StepName.BUCKETS, name, "objectStorage.external")
    if spec.object_storage.managed and spec.object_storage.managed.class_name:
        yield _storage_class(StepName.BUCKETS, spec.object_storage.managed.class_name)
    if (cdn := spec.object_storage.cdn) and cdn.purge and cdn.purge.secret_ref:
        name = cdn.purge.secret_ref.name
        yield _secret(instance, StepName.BUCKETS, name, "objectStorage.cdn.purge", ("token",))
    yield from _way_in(instance)


def kinds(instance: Instance) -> Iterator[Known]:
    """What must be installed beside this operator."""
    if instance.spec.database.managed:
        bring = "install CloudNativePG, or use an external database"
        yield Known(StepName.DATABASE, "postgresql.cnpg.io", "Cluster", bring)
    if instance.spec.backup:
        bring = "install CloudNativePG's barman plugin, or leave spec.backup out"
        yield Known(StepName.DATABASE, "barmancloud.cnpg.io", "ObjectStore", bring)
    if instance.spec.exposure.mode == "Gateway":
        bring = "install the Gateway API, or use an Ingress"
        yield Known(StepName.EXPOSURE, "gateway.networking.k8s.io", "HTTPRoute", bring)


def unmet(scene: Scene, step: StepName) -> Verdict | None:
    """The first thing that this step lacks."""
    for known in kinds(scene.instance):
        if known.step == step and not scene.knows(known.group, known.kind):
            ref = Ref(
                "apiextensions.k8s.io/v1", "CustomResourceDefinition", None, f"{known.kind.lower()}s.{known.group}"
            )
            return waits("KindMissing", f"The cluster does not know {known.kind}: {known.bring}.", ref)
    for need in objects(scene.instance):
        if need.step != step:
            continue
        found = scene.observed.objects.get(need.ref)
        if found is None:
            message = f"{need.ref.kind} {need.ref.name}, which {need.why} names, does not exist: create it."
            return waits(f"{need.ref.kind}Missing", message, need.ref)
        for key in need.keys:
            if not found.get("data", {}).get(key):
                message = f"Secret {need.ref.name}, which {need.why} names, has no key {key}: add it."
                return waits("SecretIncomplete", message, need.ref)
    return None


def _way_in(instance: Instance) -> Iterator[Need]:
    exposure = instance.spec.exposure
    if exposure.mode == "Ingress" and exposure.class_name:
        ref = Ref("networking.k8s.io/v1", "IngressClass", None, exposure.class_name)
        yield Need(StepName.EXPOSURE, ref, "spec.exposure.className")
    if exposure.tls:
        yield _secret(instance, StepName.EXPOSURE, exposure.tls.secret_name, "exposure.tls", ("tls.crt", "tls.key"))
    if exposure.gateway:
        namespace = exposure.gateway.namespace or instance.namespace
        ref = Ref("gateway.networking.k8s.io/v1", "Gateway", namespace, exposure.gateway.name)
        yield Need(StepName.EXPOSURE, ref, "spec.exposure.gateway")


def _secret(instance: Instance, step: StepName, name: str, field: str, keys: tuple[str, ...]) -> Need:
    return Need(step, Ref("v1", "Secret", instance.namespace, name), f"spec.{field}", keys)


def _account(instance: Instance, step: StepName, name: str, field: str) -> Need:
    return _secret(instance, step, name, field, ("accessKey", "secretKey"))


def _storage_class(step: StepName, name: str) -> Need:
    return Need(step, Ref("storage.k8s.io/v1", "StorageClass", None, name), "className")
