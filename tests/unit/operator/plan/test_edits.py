"""Edits reach the pods, once; an upgrade of the operator reaches none."""

import copy
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from bilten_operator.plan import steps
from bilten_operator.plan.changes import HANDOVER
from bilten_operator.plan.model import Apply, CreateOnce, Delete, EnsureBuckets
from bilten_operator.resources import api, pods
from support.world import EVERYTHING, World, encoded, samples

SAMPLES = samples()


def ready(spec: dict[str, Any]) -> World:
    world = World(spec).provide().converge()
    world.history.clear()
    world.events.clear()
    return world


def written(world: World) -> list[str]:
    return [
        f"{write.manifest['kind']}/{write.manifest['metadata']['name']}"
        for write in world.history if isinstance(write, Apply | CreateOnce)
    ]  # fmt: skip


def image(world: World, name: str) -> str:
    found = world.find("Deployment", name)
    assert found
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def test_an_edit_reaches_the_pods_once():
    world = ready(SAMPLES["development"])
    world.edit(config={"logLevel": "debug"})
    world.converge()
    assert world.rolled() == {"bilten-objects": 1, "bilten-api": 1, "bilten-worker": 1}
    assert world.condition("Ready") == world.condition("Ready") | {"status": "True", "observedGeneration": 2}


def test_an_edit_that_no_pod_reads_restarts_none():
    world = ready(SAMPLES["development"])
    world.edit(exposure={"mode": "Ingress", "host": "bilten.example.test", "maxUploadSize": "20Mi"})
    world.converge()
    assert set(world.rolled().values()) == {0}
    ingress = world.find("Ingress", "bilten")
    assert ingress
    assert "20m" in ingress["metadata"]["annotations"].values()


def test_another_host_is_told_to_the_pods_whose_files_addresses_begin_with_it():
    world = ready(SAMPLES["development"])
    world.edit(exposure={"mode": "Ingress", "host": "other.example.com"})
    world.converge()
    assert set(world.rolled().values()) == {0, 1}
    settings = world.find("ConfigMap", "bilten-settings")
    assert settings
    assert settings["data"]["BILTEN_PUBLIC_URL"] == "http://other.example.com"
    ingress = world.find("Ingress", "bilten")
    assert ingress
    assert ingress["spec"]["rules"][0]["host"] == "other.example.com"


def test_right_after_an_edit_it_is_not_ready():
    world = ready(SAMPLES["development"])
    world.edit(api={"replicas": 2})
    world.round()
    assert world.condition("Ready") == world.condition("Ready") | {"status": "False", "reason": "Applying"}
    world.round()
    assert world.condition("Ready")["reason"] == "RollingOut"


def test_the_old_pods_serve_until_the_new_image_has_migrated():
    world = ready(SAMPLES["development"])
    world.stuck.add("Job")
    world.edit(image="bilten:2", config={"logLevel": "debug"})
    world.converge()
    assert image(world, "bilten-api") == image(world, "bilten-worker") == "bilten/service:dev"
    settings = world.find("ConfigMap", "bilten-settings")
    assert settings
    assert "BILTEN_LOG_LEVEL" not in settings["data"]
    assert world.condition("ApiAvailable") == world.condition("ApiAvailable") | {"status": "False", "reason": "Waiting"}
    assert world.instance["status"]["waitingFor"]["kind"] == "Job"
    assert world.instance["status"]["version"] == "dev"
    world.stuck.clear()
    world.converge()
    assert image(world, "bilten-api") == image(world, "bilten-worker") == "bilten:2"
    assert world.instance["status"]["version"] == "2"
    assert len(world.kinds("Job")) == 1, "the Job of the earlier image is not needed any more"


def test_drift_is_corrected_to_what_still_runs():
    world = ready(SAMPLES["development"])
    world.stuck.add("Job")
    world.edit(image="bilten:2")
    world.converge()
    found = world.find("Deployment", "bilten-api")
    assert found
    found["spec"]["template"]["spec"]["containers"][0]["image"] = "evil:1"
    world.converge()
    assert image(world, "bilten-api") == "bilten/service:dev"


def test_a_failed_migration_keeps_its_job_and_the_old_pods():
    world = ready(SAMPLES["development"])
    world.stuck.add("Job")
    world.edit(image="bilten:2")
    world.round()
    [job] = [found for found in world.objects.values() if found["kind"] == "Job" and "status" not in found]
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "it has failed 4 times"}
    job["status"] = {"conditions": [failed]}
    world.converge()
    assert world.condition("MigrationsApplied")["reason"] == "MigrationFailed"
    assert "it has failed 4 times" in world.condition("MigrationsApplied")["message"]
    assert world.instance["status"]["phase"] == "Degraded"
    assert len(world.kinds("Job")) == 2
    assert image(world, "bilten-api") == "bilten/service:dev"
    assert [reason for reason, _ in world.events].count("MigrationFailed") == 1
    world.edit(image="bilten:3")
    world.stuck.clear()
    world.converge()
    assert image(world, "bilten-api") == "bilten:3"
    assert job["metadata"]["name"] in world.kinds("Job"), "its log stays"


def test_a_changed_secret_restarts_what_reads_it_once():
    world = ready(SAMPLES["external"])
    secret = world.find("Secret", "bilten-database")
    assert secret
    secret["data"]["url"] = encoded("postgresql://user:other@db.example.com/bilten")
    world.converge()
    assert world.rolled() == {"bilten-api": 1, "bilten-worker": 1}
    world.converge()
    assert world.rolled() == {"bilten-api": 1, "bilten-worker": 1}


def test_a_changed_account_of_the_store_is_made_known_to_the_store():
    world = ready(SAMPLES["development"])
    secret = world.find("Secret", "bilten-s3")
    assert secret
    secret["data"]["secretKey"] = encoded("another-secret-key")
    world.converge()
    assert isinstance(world.history[0], EnsureBuckets)
    assert world.rolled() == {"bilten-objects": 0, "bilten-api": 1, "bilten-worker": 1}


@pytest.mark.parametrize("name", SAMPLES)
def test_an_upgrade_of_the_operator_restarts_nothing(name: str, monkeypatch: pytest.MonkeyPatch):
    world = ready(SAMPLES[name])
    world.edit(networkPolicy={"enabled": True})  # an edit that no pod notices, before the upgrade
    world.converge()
    before = {
        ref: copy.deepcopy(found["spec"])
        for ref, found in world.objects.items()
        if ref.kind in steps.ROLLING - {"ConfigMap"} and "spec" in found
    }
    world.operator = dataclasses.replace(
        world.operator, minio_image="minio:2", clamav_image="clamav:2", postgres_image="postgres:19"
    )
    make = pods.template
    monkeypatch.setattr(pods, "template", lambda *args, **more: make(*args, **{**more, "priorityClassName": "new"}))
    world.converge()
    assert {ref: found["spec"] for ref, found in world.objects.items() if ref in before} == before
    assert world.condition("Ready")["status"] == "True"


def test_after_an_upgrade_the_next_edit_brings_what_is_new():
    world = ready(SAMPLES["development"])
    world.operator = dataclasses.replace(world.operator, clamav_image="clamav:2")
    world.edit(config={"logLevel": "debug"})
    world.converge()
    worker = world.find("Deployment", "bilten-worker")
    assert worker
    assert worker["spec"]["template"]["spec"]["containers"][1]["image"] == "clamav:2"


def test_an_autoscaler_takes_over_without_a_dip():
    world = ready(EVERYTHING)
    world.edit(api={"autoscaling": {"minReplicas": 2, "maxReplicas": 5}})
    seen = []
    for _ in range(12):
        made = world.plan()
        for write in made.writes:
            world.write(write)
            found = world.find("Deployment", "bilten-api")
            assert found
            seen.append(found["spec"]["replicas"])
        world.instance["status"] = made.status
        world.controllers()
    assert set(seen) == {3}
    last = [write for write in world.history if isinstance(write, Apply) and write.manager is None]
    assert not [
        write
        for write in last
        if write.manifest["metadata"]["name"] == "bilten-api" and "replicas" in write.manifest.get("spec", {})
    ]
    assert any(isinstance(write, Apply) and write.manager == HANDOVER for write in world.history)


def test_what_an_autoscaler_decides_is_not_drift():
    world = ready(SAMPLES["production"])
    found = world.find("Deployment", "bilten-api")
    assert found
    found["spec"]["replicas"] = 7
    world.converge()
    assert world.history == []
    assert found["spec"]["replicas"] == 7


def test_an_autoscaler_that_is_given_up_goes():
    world = ready(SAMPLES["production"])
    world.edit(api={"replicas": 2})
    world.converge()
    assert world.kinds("HorizontalPodAutoscaler") == []
    found = world.find("Deployment", "bilten-api")
    assert found
    assert found["spec"]["replicas"] == 2


def test_what_the_spec_gives_up_goes_and_data_stays():
    world = ready(EVERYTHING)
    world.edit(
        api={"replicas": 1}, worker={"replicas": 1}, exposure=None, monitoring={"enabled": False},
        networkPolicy={"enabled": False}, scanner=None, backup={"suspend": True},
        database={"mode": "Managed", "managed": {"instances": 2, "storage": {"className": "fast"}}},
        objectStorage={"mode": "Managed"},
    )  # fmt: skip
    world.converge()
    assert world.condition("Ready")["status"] == "True"
    gone = {write.ref.kind for write in world.history if isinstance(write, Delete)}
    assert gone == {
        "Deployment", "HTTPRoute", "NetworkPolicy", "PodDisruptionBudget", "PodMonitor", "Pooler", "PrometheusRule",
        "Service", "ServiceMonitor",
    }  # fmt: skip
    assert world.kinds("Deployment") == ["bilten-api", "bilten-worker"]


def test_what_others_made_is_neither_taken_nor_deleted():
    world = World(SAMPLES["development"])
    theirs = world.put(next(ref for ref in _refs(SAMPLES["development"]) if ref.kind == "Service"), spec={"x": 1})
    world.provide().converge()
    assert world.condition("Ready")["reason"] == "NameTaken"
    assert world.instance["status"]["waitingFor"]["kind"] == "Service"
    assert theirs["spec"] == {"x": 1}
    del world.objects[next(ref for ref, found in world.objects.items() if found is theirs)]
    world.converge()
    assert world.condition("Ready")["status"] == "True"


def _refs(spec: dict[str, Any]) -> list[Any]:
    return list(World(spec).provide().converge().objects)


def test_a_larger_volume_is_asked_of_the_claim_as_the_template_cannot_change():
    world = ready(SAMPLES["development"])
    template = copy.deepcopy(world.find("StatefulSet", "bilten-objects"))
    world.edit(objectStorage={**SAMPLES["development"]["objectStorage"], "managed": {"size": "8Gi"}})
    world.converge()
    claim, store = (
        world.find("PersistentVolumeClaim", "data-bilten-objects-0"),
        world.find("StatefulSet", "bilten-objects"),
    )
    assert claim
    assert store
    assert template
    assert claim["spec"]["resources"]["requests"]["storage"] == "8Gi"
    assert store["spec"]["volumeClaimTemplates"] == template["spec"]["volumeClaimTemplates"]
    assert world.condition("Ready")["status"] == "True"


def test_while_paused_nothing_is_written_and_that_is_told():
    world = ready(SAMPLES["development"])
    world.edit(paused=True, api={"replicas": 3})
    found = world.find("Service", "bilten-api")
    assert found
    found["spec"]["ports"][0]["port"] = 81
    world.converge()
    assert world.history == []
    assert world.instance["status"]["phase"] == "Paused"
    assert world.condition("Paused")["status"] == "True"
    assert world.condition("Ready") == world.condition("Ready") | {"status": "False", "reason": "Paused"}
    assert world.last
    assert world.last.wake_after_s is None
    world.edit(paused=None)
    world.converge()
    assert world.condition("Ready")["status"] == "True"
    assert [reason for reason, _ in world.events if reason in ("Paused", "Resumed")] == ["Paused", "Resumed"]


def test_buckets_are_looked_after_and_an_idle_instance_writes_nothing_else():
    world = ready(SAMPLES["development"])
    assert world.last
    assert world.last.wake_after_s
    assert 0 < world.last.wake_after_s <= 600
    world.now += timedelta(minutes=11)
    world.converge()
    assert [type(write) for write in world.history] == [EnsureBuckets]


def test_an_operator_that_just_started_believes_what_was_told_and_looks_again():
    world = ready(SAMPLES["development"])
    world.results.clear()
    world.round()
    assert [type(write) for write in world.history] == [EnsureBuckets]
    assert world.condition("Ready")["status"] == "True"


def test_debugging_starts_the_api_under_the_debugger_and_opens_its_port():
    world = ready(SAMPLES["development"])
    world.edit(debugpy=True)
    world.converge()
    found, policy = world.find("Deployment", "bilten-api"), world.find("NetworkPolicy", "bilten-api")
    assert found
    assert policy
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert container["command"][:5] == ["python", "-m", "debugpy", "--listen", f"0.0.0.0:{api.DEBUG_PORT}"]
    assert api.DEBUG_PORT in [port["port"] for port in policy["spec"]["ingress"][0]["ports"]]


@pytest.mark.parametrize(("kind", "name"), [("Service", "bilten-api"), ("Job", "")])
def test_what_is_being_deleted_is_waited_for_and_made_again(kind: str, name: str):
    world = ready(SAMPLES["development"])
    found = world.find(kind, name or world.kinds("Job")[0])
    assert found
    found["metadata"]["deletionTimestamp"] = "2026-11-23T08:00:00Z"
    world.converge()
    assert world.history == []
    assert world.instance["status"]["waitingFor"]["name"] == found["metadata"]["name"]
    del world.objects[next(ref for ref, other in world.objects.items() if other is found)]
    world.converge()
    assert world.find(kind, found["metadata"]["name"])
    assert world.condition("Ready")["status"] == "True"
