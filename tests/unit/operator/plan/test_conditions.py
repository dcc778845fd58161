"""Why an instance is not ready: the condition, its reason, and the one object that blocks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bilten_operator.api.conditions import ConditionType
from bilten_operator.plan.model import ActionResult, Ref
from bilten_operator.plan.needs import references
from bilten_operator.plan.summary import short
from support.world import EVERYTHING, NAMESPACE, START, World, encoded, samples, text

SAMPLES = samples()
DEVELOPMENT, EXTERNAL, PRODUCTION = SAMPLES["development"], SAMPLES["external"], SAMPLES["production"]


def rounds(world: World, number: int = 12) -> World:
    """So many, at rest or not."""
    for _ in range(number):
        world.round()
        world.controllers()
    world.round()
    return world


def stuck(spec: dict[str, Any], *kinds: str) -> World:
    world = World(spec).provide()
    world.stuck.update(kinds)
    return rounds(world)


def without(spec: dict[str, Any], kind: str, name: str) -> World:
    world = World(spec).provide()
    for ref in [ref for ref in world.objects if (ref.kind, ref.name) == (kind, name)]:
        del world.objects[ref]
    return rounds(world)


def incomplete(name: str, key: str) -> World:
    world = World(EXTERNAL).provide()
    secret = world.find("Secret", name)
    assert secret
    del secret["data"][key]
    return rounds(world)


def missing(spec: dict[str, Any], group: str, kind: str) -> World:
    world = World(spec).provide()
    world.missing_kinds.add((group, kind))
    return rounds(world)


def lost(name: str) -> World:
    world = World(DEVELOPMENT).provide().converge()
    del world.objects[Ref("v1", "Secret", NAMESPACE, name)]
    return rounds(world)


def refused() -> World:
    world = World(DEVELOPMENT).provide()
    world.stuck.add("Bucket")
    rounds(world)
    world.results = {
        write.key: ActionResult(ok=False, at=world.now, message="bucket x is another's")
        for write in world.plan().writes if hasattr(write, "key")
    }  # fmt: skip
    return rounds(world, 1)


def failed(reason: str) -> World:
    world = stuck(DEVELOPMENT, "Job")
    [name] = world.kinds("Job")
    job = world.find("Job", name)
    assert job
    job["status"] = {"conditions": [{"type": "Failed", "status": "True", "reason": reason, "message": "no"}]}
    return rounds(world, 1)


def pod(component: str, **status: Any) -> World:
    world = stuck(DEVELOPMENT, "Deployment")
    for name in ("bilten-api", "bilten-worker"):
        found = world.find("Deployment", name)
        assert found
        found["status"] = {"observedGeneration": 99, "replicas": 1, "updatedReplicas": 1}
    labels = {"app.kubernetes.io/instance": "bilten", "app.kubernetes.io/component": component}
    made = world.put(Ref("v1", "Pod", NAMESPACE, f"bilten-{component}-x"), status=status)
    made["metadata"]["labels"] = labels
    return rounds(world, 1)


def waiting(reason: str) -> World:
    state = {"waiting": {"reason": reason, "message": "cannot pull bilten:9"}}
    return pod("api", containerStatuses=[{"name": "api", "state": state}])


def quota() -> World:
    world = stuck(DEVELOPMENT, "Deployment")
    found = world.find("Deployment", "bilten-api")
    assert found
    condition = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods"}
    found["status"] = {"observedGeneration": 99, "conditions": [condition]}
    return rounds(world, 1)


UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}

CASES: dict[str, tuple[Callable[[], World], str, str, str, str]] = {
    # what is wrong: (how it comes about, condition, reason, kind that blocks, part of the message)
    "keys are lost": (lambda: lost("bilten-keys"), "Ready", "SecretLost", "Secret", "restore it"),
    "the store's account is lost": (lambda: lost("bilten-objects-admin"), "Ready", "SecretLost", "Secret", "restore"),
    "no CloudNativePG": (
        lambda: missing(DEVELOPMENT, "postgresql.cnpg.io", "Cluster"),
        "DatabaseReady", "KindMissing", "CustomResourceDefinition", "install CloudNativePG",
    ),
    "no barman plugin": (
        lambda: missing(PRODUCTION, "barmancloud.cnpg.io", "ObjectStore"),
        "DatabaseReady", "KindMissing", "CustomResourceDefinition", "barman plugin",
    ),
    "no Gateway API": (
        lambda: missing(EXTERNAL, "gateway.networking.k8s.io", "HTTPRoute"),
        "Ready", "KindMissing", "CustomResourceDefinition", "Gateway API",
    ),
    "no secret of the database": (
        lambda: without(EXTERNAL, "Secret", "bilten-database"),
        "DatabaseReady", "SecretMissing", "Secret", "spec.database.external",
    ),
    "no address in it": (
        lambda: incomplete("bilten-database", "url"), "DatabaseReady", "SecretIncomplete", "Secret", "no key url",
    ),
    "no secret of the store": (
        lambda: without(EXTERNAL, "Secret", "bilten-s3"),
        "StorageReady", "SecretMissing", "Secret", "spec.objectStorage.external",
    ),
    "no secret of the backups": (
        lambda: without(PRODUCTION, "Secret", "bilten-backup-s3"),
        "DatabaseReady", "SecretMissing", "Secret", "spec.backup.objectStorage",
    ),
    "no storage class": (
        lambda: without(EVERYTHING, "StorageClass", "fast"),
        "DatabaseReady", "StorageClassMissing", "StorageClass", "fast",
    ),
    "no certificate": (
        lambda: without(PRODUCTION, "Secret", "bilten-tls"), "Ready", "SecretMissing", "Secret", "spec.exposure.tls",
    ),
    "no Gateway": (lambda: without(EXTERNAL, "Gateway", "web"), "Ready", "GatewayMissing", "Gateway", "web"),
    "no class of Ingress": (
        lambda: without(
            {**DEVELOPMENT, "exposure": {"mode": "Ingress", "host": "a.example.com", "className": "nginx"}},
            "IngressClass", "nginx",
        ),
        "Ready", "IngressClassMissing", "IngressClass", "nginx",
    ),
    "the database starts": (
        lambda: stuck(DEVELOPMENT, "Cluster"), "DatabaseReady", "DatabaseStarting", "Cluster", "has not looked",
    ),
    "the pooler starts": (lambda: stuck(EVERYTHING, "Pooler"), "DatabaseReady", "PoolerStarting", "Pooler", "0 of 1"),
    "the store starts": (
        lambda: stuck(DEVELOPMENT, "StatefulSet"), "StorageReady", "Starting", "StatefulSet", "does not answer",
    ),
    "buckets are made": (
        lambda: stuck(DEVELOPMENT, "Bucket"), "StorageReady", "CreatingBuckets", "Bucket", "are being made",
    ),
    "buckets are refused": (refused, "StorageReady", "BucketsFailed", "Bucket", "bucket x is another's"),
    "the migration runs": (
        lambda: stuck(DEVELOPMENT, "Job"), "MigrationsApplied", "MigrationRunning", "Job", "is at work",
    ),
    "the migration failed": (
        lambda: failed("BackoffLimitExceeded"), "MigrationsApplied", "MigrationFailed", "Job", "kubectl logs",
    ),
    "the migration took too long": (
        lambda: failed("DeadlineExceeded"), "MigrationsApplied", "MigrationTimedOut", "Job", "delete the Job",
    ),
    "pods roll out": (lambda: stuck(DEVELOPMENT, "Deployment"), "ApiAvailable", "RollingOut", "Deployment", "-api"),
    "no image": (lambda: waiting("ImagePullBackOff"), "ApiAvailable", "ImagePullBackOff", "Pod", "cannot pull"),
    "it crashes": (lambda: waiting("CrashLoopBackOff"), "ApiAvailable", "CrashLoopBackOff", "Pod", "Container api"),
    "no node": (lambda: pod("api", conditions=[UNSCHEDULABLE]), "ApiAvailable", "Unschedulable", "Pod", "0/3 nodes"),
    "a quota": (quota, "ApiAvailable", "PodsRefused", "Deployment", "exceeded quota"),
    "no scanner": (lambda: stuck(EVERYTHING, "Deployment"), "ScannerReady", "RollingOut", "Deployment", "-scanner"),
    "no route": (lambda: stuck(EXTERNAL, "HTTPRoute"), "Ready", "RouteNotAccepted", "HTTPRoute", "No Gateway has"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_told_with_the_object_that_blocks(case: str):
    make, condition, reason, kind, part = CASES[case]
    world = make()
    found = world.condition(condition)
    assert (found["status"], found["reason"]) == ("False", reason)
    assert part in found["message"]
    assert world.condition("Ready")["status"] == "False"
    if condition != "ScannerReady":
        assert world.instance["status"]["waitingFor"]["kind"] == kind
        assert part in world.instance["status"]["waitingFor"]["message"]


@pytest.mark.parametrize(
    "case", [name for name, case in CASES.items() if case[2].endswith("Missing") or case[2] == "SecretIncomplete"]
)
def test_it_heals_when_what_is_missing_appears(case: str):
    world = CASES[case][0]()
    world.missing_kinds.clear()
    for ref in [ref for ref in world.objects if ref.kind == "Secret" and ref.name == "bilten-database"]:
        del world.objects[ref]
    world.provide().converge()
    assert world.condition("Ready")["status"] == "True"


def test_a_lost_secret_is_not_made_again_and_its_return_restarts_nothing():
    world = World(DEVELOPMENT).provide().converge()
    ref = Ref("v1", "Secret", NAMESPACE, "bilten-keys")
    kept = world.objects.pop(ref)
    world.converge()
    assert ref not in world.objects
    assert world.instance["status"]["phase"] == "Degraded"
    assert world.condition("ApiAvailable")["status"] == "False", "its pods could not start again"
    world.objects[ref] = kept
    world.converge()
    assert world.condition("Ready")["status"] == "True"
    assert set(world.rolled().values()) == {0}


def test_a_backup_asked_for_later_gets_its_account_though_the_database_is_there():
    world = World(DEVELOPMENT).provide().converge()
    world.edit(backup={})
    world.converge()
    assert world.condition("BackupHealthy")["status"] == "True"
    assert world.find("Secret", "bilten-backup-s3")


def test_backups_begin_when_the_pods_of_a_database_that_ran_without_them_are_started_anew():
    world = World(DEVELOPMENT).provide().converge()
    cluster = world.find("Cluster", "bilten-db")
    assert cluster
    world.stuck.add("Cluster")
    cluster["status"]["instanceNames"] = ["bilten-db-1"]
    pod = world.put(Ref("v1", "Pod", NAMESPACE, "bilten-db-1"), spec={"initContainers": [{"name": "bootstrap"}]})
    world.edit(backup={})
    assert Ref.of(pod) in references(world.instance, world.objects)
    rounds(world)
    waits = world.instance["status"]["waitingFor"]
    assert (waits["kind"], waits["name"]) == ("Pod", "bilten-db-1")
    assert not world.find("ScheduledBackup", "bilten-db")
    assert world.last
    assert world.last.wake_after_s == 5.0
    pod["spec"]["initContainers"].append({"name": "plugin-barman-cloud"})
    rounds(world)
    assert world.find("ScheduledBackup", "bilten-db")
    assert world.condition("Ready")["status"] == "True"


def test_why_the_first_backup_failed_is_told():
    world = backed_up()
    cluster = world.find("Cluster", "bilten-db")
    assert cluster
    world.stuck.add("Cluster")
    said = {"type": "LastBackupSucceeded", "status": "False", "reason": "LastBackupFailed", "message": "no such key"}
    cluster["status"]["conditions"].append(said)
    world.converge()
    assert world.condition("BackupHealthy")["message"] == (
        "The first base backup is not complete. The last try failed: no such key."
    )


def test_the_time_of_a_condition_moves_only_when_it_turns():
    world = World(DEVELOPMENT).provide().converge()
    first = {found["type"]: found["lastTransitionTime"] for found in world.instance["status"]["conditions"]}
    world.now += timedelta(minutes=1)
    world.edit(api={"replicas": 2})
    world.round()
    turned = {
        found["type"] for found in world.instance["status"]["conditions"]
        if found["lastTransitionTime"] != first[found["type"]]
    }  # fmt: skip
    assert turned == {"Ready", "ApiAvailable", "Progressing"}
    assert all(found["observedGeneration"] == 2 for found in world.instance["status"]["conditions"])


def test_since_when_is_kept_while_the_same_object_blocks():
    world = stuck(DEVELOPMENT, "Cluster")
    since = world.instance["status"]["waitingFor"]["since"]
    world.now += timedelta(minutes=3)
    rounds(world, 2)
    assert world.instance["status"]["waitingFor"]["since"] == since
    world.stuck = {"Job"}
    rounds(world)
    assert world.instance["status"]["waitingFor"]["kind"] == "Job"
    assert world.instance["status"]["waitingFor"]["since"] == text(world.now)


def test_past_its_deadline_a_step_is_told_once_and_still_waited_for():
    world = stuck(DEVELOPMENT, "Cluster")
    world.events.clear()
    assert world.last
    assert world.last.wake_after_s == 60
    world.now += timedelta(minutes=16)
    rounds(world, 3)
    assert world.condition("Progressing")["reason"] == "DeadlineExceeded"
    assert world.instance["status"]["phase"] == "Degraded"
    assert [reason for reason, _ in world.events] == ["DeadlineExceeded"]
    world.stuck.clear()
    world.converge()
    assert world.condition("Ready")["status"] == "True"


def test_events_come_when_something_turns_and_at_no_other_time():
    world = World(DEVELOPMENT).provide().converge()
    reasons = [reason for reason, _ in world.events]
    assert sorted(reasons) == sorted(
        ["DatabaseReady", "StorageReady", "MigrationsApplied", "ApiAvailable", "ScannerReady", "Ready"]
    )
    world.events.clear()
    world.now += timedelta(hours=3)
    world.converge()
    assert world.events == []


def test_scaled_to_zero_the_api_is_not_available_and_all_is_as_asked():
    world = World(DEVELOPMENT).provide().converge()
    world.edit(api={"replicas": 0}, worker={"replicas": 0})
    world.converge()
    assert world.condition("ApiAvailable") == world.condition("ApiAvailable") | {
        "status": "False",
        "reason": "ScaledToZero",
    }
    assert world.condition("ScannerReady")["status"] == "False"
    assert world.condition("Ready")["status"] == "True"


def test_a_database_that_goes_away_is_told_and_the_pods_are_left_alone():
    world = World(DEVELOPMENT).provide().converge()
    found = world.find("Cluster", "bilten-db")
    assert found
    world.stuck.add("Cluster")
    found["status"] = {"phase": "Failing over", "conditions": [{"type": "Ready", "status": "False"}]}
    world.history.clear()
    rounds(world, 3)
    assert world.history == []
    assert world.condition("DatabaseReady") == world.condition("DatabaseReady") | {"message": "Failing over"}
    assert world.condition("ApiAvailable")["status"] == "True", "its pods are what is wanted, and they answer"


def test_an_unreadable_spec_is_told_and_nothing_is_touched():
    world = World(DEVELOPMENT).provide().converge()
    world.history.clear()
    world.edit(hibernate=True)
    world.converge()
    assert world.history == []
    assert world.condition("Ready")["reason"] == "InvalidSpec"
    assert "spec.hibernate" in world.condition("Ready")["message"]
    assert world.condition("DatabaseReady")["status"] == "True"


def test_every_condition_is_told_from_the_first_look_on():
    world = World(PRODUCTION)
    world.round()
    told = [found["type"] for found in world.instance["status"]["conditions"]]
    assert sorted(told) == sorted(ConditionType)
    assert world.instance["status"]["phase"] == "Pending"


def test_without_backups_nothing_is_said_of_their_health():
    world = World(DEVELOPMENT).provide().converge()
    assert "BackupHealthy" not in [found["type"] for found in world.instance["status"]["conditions"]]


def backed_up(**window: str) -> World:
    world = World(PRODUCTION).provide()
    world.stuck.add("ObjectStore")
    world.converge()
    if window:
        store = world.find("ObjectStore", "bilten-db")
        assert store
        store["status"] = {"serverRecoveryWindow": {"bilten-db": window}}
    return world


def test_the_first_backup_is_waited_for_and_then_missed():
    world = backed_up()
    assert world.condition("BackupHealthy") == world.condition("BackupHealthy") | {
        "status": "Unknown",
        "reason": "AwaitingFirstBackup",
    }
    assert world.condition("Ready")["status"] == "True"
    world.now += timedelta(hours=3)
    world.converge()
    assert world.condition("BackupHealthy")["reason"] == world.condition("Ready")["reason"] == "NoBackup"
    assert world.instance["status"]["phase"] == "Degraded"


def test_a_backup_is_healthy_until_two_hours_after_the_next_was_due():
    world = backed_up(lastSuccessfulBackupTime=text(START))
    # 02:30 in Cairo, in winter, is 00:30 in UTC.
    world.now = START.replace(day=24, hour=2, minute=0)
    world.converge()
    assert world.condition("BackupHealthy")["reason"] == "Fresh"
    assert world.instance["status"]["backup"] == {"lastSuccessful": text(START)}
    world.now = START.replace(day=24, hour=2, minute=31)
    world.converge()
    assert world.condition("BackupHealthy")["reason"] == "BackupTooOld"
    assert "2026-11-24 00:30" in world.condition("BackupHealthy")["message"]


def test_a_log_that_is_not_archived_is_told():
    world = backed_up(lastSuccessfulBackupTime=text(START))
    cluster = world.find("Cluster", "bilten-db")
    assert cluster
    world.stuck.add("Cluster")
    cluster["status"]["conditions"].append({"type": "ContinuousArchiving", "status": "False", "message": "no bucket"})
    world.converge()
    assert world.condition("BackupHealthy")["reason"] == "ArchivingFails"
    assert "no bucket" in world.condition("BackupHealthy")["message"]


def test_suspended_backups_are_as_asked():
    world = World({**PRODUCTION, "backup": {**PRODUCTION["backup"], "suspend": True}}).provide()
    world.stuck.add("ObjectStore")
    world.converge()
    assert world.condition("BackupHealthy") == world.condition("BackupHealthy") | {
        "status": "True",
        "reason": "Suspended",
    }


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("bilten", "latest"),
        ("registry.example.com:5000/bilten", "latest"),
        ("registry.example.com:5000/bilten:1.2", "1.2"),
        ("bilten:1.2@sha256:" + "ab" * 32, "abababababab"),
        ("bilten:" + "1" * 400, "1" * 128),  # the API server takes no more than 253 signs in the status
    ],
)
def test_a_version_is_the_tag_or_the_beginning_of_the_digest(image: str, version: str):
    assert short(image) == version


def test_a_secret_that_is_no_text_does_no_harm():
    world = World(EXTERNAL).provide()
    secret = world.find("Secret", "bilten-database")
    assert secret
    secret["data"]["url"] = "/////w=="
    world.converge()
    assert world.condition("DatabaseReady")["status"] == "True"
    secret["data"]["url"] = encoded("postgresql://user@host:notaport/x")
    world.converge()
    assert world.condition("DatabaseReady")["status"] == "True"


@pytest.mark.parametrize(
    ("case", "wake_s"),
    [("no Gateway", 5), ("no CloudNativePG", 5), ("the pooler starts", 5), ("the migration runs", 60)],
)
def test_what_no_watch_tells_of_is_looked_at_often(case: str, wake_s: float):
    world = CASES[case][0]()
    assert world.last
    assert world.last.wake_after_s == wake_s


def test_a_pooler_is_ready_when_it_answers():
    world = World(EVERYTHING).provide().converge()
    found = world.find("Deployment", "bilten-pooler")
    assert found
    found["status"] = {"availableReplicas": 0}
    rounds(world, 1)
    told = world.condition("DatabaseReady")
    assert (told["status"], told["reason"]) == ("False", "PoolerStarting")
