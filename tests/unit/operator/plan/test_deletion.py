"""Deletion: nothing is lost that is to be kept, nothing hangs, and files that nobody else deletes are deleted."""

from datetime import timedelta
from typing import Any

import pytest
from bilten_operator.plan.model import ActionResult, Delete, DeleteBuckets
from support.world import EVERYTHING, World, samples, text

SAMPLES = samples()
DELETED = {**SAMPLES["production"], "deletionPolicy": "Delete"}


def deleted(spec: dict[str, Any]) -> World:
    world = World(spec).provide().converge()
    world.history.clear()
    world.events.clear()
    world.instance["metadata"]["deletionTimestamp"] = text(world.now)
    return world


@pytest.mark.parametrize("name", SAMPLES)
def test_only_files_that_kubernetes_cannot_reach_need_a_finalizer(name: str):
    for policy in ("Retain", "Delete"):
        spec = {**SAMPLES[name], "deletionPolicy": policy}
        elsewhere = spec["objectStorage"]["mode"] == "External" or "objectStorage" in spec.get("backup", {})
        made = World(spec).plan()
        assert made.wants_finalizer is (policy == "Delete" and elsewhere)


@pytest.mark.parametrize("name", SAMPLES)
def test_with_retain_deletion_writes_nothing_and_holds_nothing_up(name: str):
    world = deleted({**SAMPLES[name], "deletionPolicy": "Retain"})
    made = world.round()
    assert made.writes == ()
    assert not made.wants_finalizer


def test_with_delete_the_writers_go_before_the_files():
    world = deleted(DELETED)
    made = world.round()
    assert {write.ref.kind for write in made.writes if isinstance(write, Delete)} == {"Deployment", "Cluster"}
    assert made.wants_finalizer
    assert world.instance["status"]["phase"] == "Deleting"
    made = world.round()
    assert [(write.endpoint, write.buckets) for write in made.writes if isinstance(write, DeleteBuckets)] == [
        ("https://s3.eu-central-1.example.com", ("shop-bilten-quarantine", "shop-bilten-media")),
        ("https://backup.example.net", ("shop-bilten-backup",)),
    ]
    assert {write.owner for write in made.writes if isinstance(write, DeleteBuckets)} == {"uid-instance"}
    made = world.round()
    assert made.writes == ()
    assert not made.wants_finalizer


def test_a_managed_store_goes_with_the_instance():
    world = deleted(EVERYTHING)
    assert world.round().writes == ()


def test_a_store_that_refuses_is_asked_again_and_given_up_in_the_end():
    world = deleted(DELETED)
    world.stuck.add("Bucket")
    world.round()
    actions = [write for write in world.plan().writes if isinstance(write, DeleteBuckets)]
    assert len(actions) == 2
    world.results = {action.key: ActionResult(ok=False, at=world.now, message="no") for action in actions}
    assert world.plan().writes == ()
    assert world.plan().wants_finalizer
    world.now += timedelta(seconds=11)
    assert len(world.plan().writes) == 2
    world.now += timedelta(minutes=15)
    made = world.round()
    assert not made.wants_finalizer
    assert [reason for reason, _ in world.events] == ["Deleting", "FilesLeftBehind"]
    assert "shop-bilten-media" in world.events[-1][1]


def test_an_operator_that_was_restarted_goes_on():
    world = deleted(DELETED)
    for _ in range(3):
        world.round()
        world.results.clear()
    assert [type(write) for write in world.plan().writes] == [DeleteBuckets, DeleteBuckets]


def test_pausing_does_not_hold_deletion_up():
    world = deleted({**DELETED, "paused": True})
    world.round()
    assert world.history


def test_a_spec_that_cannot_be_read_does_not_hold_deletion_up():
    world = deleted(DELETED)
    world.instance["metadata"]["finalizers"] = ["bilten.io/cleanup"]
    world.instance["spec"]["hibernate"] = True
    made = world.plan()
    assert made.writes == ()
    assert not made.wants_finalizer
