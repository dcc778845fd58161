"""An object's record of its last rendering can be rewritten by whoever may edit the object: it is believed of that
object only, and costs no more than it may."""

import base64
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from bilten_operator.plan.drift import RENDER, rendered
from bilten_operator.plan.model import Apply, Ref
from support.world import NAMESPACE, World, samples

SPEC = samples()["development"]

#: What somebody with rights in one namespace wants the operator to write with its own.
ELSEWHERE = {
    "another namespace": {"metadata": {"name": "bilten-api", "namespace": "kube-system"}},
    "another name": {"metadata": {"name": "other", "namespace": NAMESPACE}},
    "another kind": {"apiVersion": "v1", "kind": "Secret"},
}


def packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode()


def with_record(record: str) -> World:
    """A ready instance, but for the database that is starting again; the API's Deployment has another record."""
    world = World(SPEC).provide().converge()
    cluster, api = world.find("Cluster", "bilten-db"), world.find("Deployment", "bilten-api")
    assert cluster
    assert api
    cluster["status"]["conditions"] = []
    api["metadata"]["annotations"][RENDER] = record
    return world


@pytest.mark.parametrize("what", ELSEWHERE)
@pytest.mark.parametrize("waiting", [True, False])
def test_a_record_of_another_object_makes_the_operator_write_nothing_of_it(what: str, waiting: bool):
    api = World(SPEC).provide().converge().find("Deployment", "bilten-api")
    assert api
    forged: dict[str, Any] = {**(rendered(api) or {}), **ELSEWHERE[what]}
    world = with_record(packed(json.dumps(forged).encode()))
    if not waiting:
        world.find("Cluster", "bilten-db")["status"]["conditions"] = [{"type": "Ready", "status": "True"}]  # type: ignore[index]
    written = {Ref.of(write.manifest) for write in world.plan().writes if isinstance(write, Apply)}
    assert written <= {Ref("apps/v1", "Deployment", NAMESPACE, "bilten-api")}


def test_a_record_that_unpacks_to_much_more_than_an_object_can_be_is_not_read():
    world = with_record(packed(b"[" + b"0," * 30_000_000 + b"0]"))
    api = world.find("Deployment", "bilten-api")
    assert api
    tracemalloc.start()
    try:
        assert rendered(api) is None
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 * 2**20


@pytest.mark.parametrize(
    "record", [b"[" * 200_000, b"[]", b"{}", b"1", b"\xff", b'{"metadata": 1}', b'{"metadata": {}}']
)
def test_a_record_that_is_none_is_not_read(record: bytes):
    world = with_record(packed(record))
    api = world.find("Deployment", "bilten-api")
    assert api
    assert rendered(api) is None
    world.plan()
