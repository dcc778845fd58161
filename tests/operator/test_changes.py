"""What must not change cannot be changed; what may grow grows."""

from typing import Any, NamedTuple

import pytest
from support.instances import DIGEST, EXTERNAL, instance
from support.kube import Kube

DATABASE = {"mode": "External", "external": {"secretRef": {"name": "database"}}}


class Change(NamedTuple):
    """A spec, what is merged into it, and what the API server says to that."""

    before: dict[str, Any]
    change: dict[str, Any]
    says: str


def sized(size: str | None = None, class_name: str | None = None) -> dict[str, Any]:
    storage = {"size": size, "className": class_name}
    return {"mode": "Managed", "managed": {"storage": {name: value for name, value in storage.items() if value}}}


REFUSED = {
    "the environment": Change({"image": DIGEST}, {"environment": "staging"}, "spec.environment cannot be changed"),
    "the database's mode": Change({}, {"database": DATABASE}, "spec.database.mode cannot be changed"),
    "the object store's mode": Change({}, {"objectStorage": EXTERNAL}, "spec.objectStorage.mode cannot be changed"),
    "the database's class": Change(
        {"database": sized(class_name="fast")}, {"database": sized(class_name="slow")},
        "spec.database.managed.storage.className cannot be changed",
    ),
    "a class given later": Change(
        {}, {"database": sized(class_name="slow")}, "spec.database.managed.storage.className cannot be changed"
    ),
    "a class taken away": Change(
        {"database": sized(class_name="fast")}, {"database": {"managed": None}},
        "spec.database.managed.storage.className cannot be changed",
    ),
    "the object store's class": Change(
        {"objectStorage": {"mode": "Managed", "managed": {"className": "fast"}}},
        {"objectStorage": {"managed": {"className": "slow"}}}, "spec.objectStorage.managed.className cannot be changed",
    ),
    "a smaller database": Change(
        {"database": sized("10Gi")}, {"database": sized("9Gi")}, "spec.database.managed.storage.size may only grow"
    ),
    "a database smaller than the default it has": Change(
        {}, {"database": sized("1Gi")}, "spec.database.managed.storage.size may only grow"
    ),
    "a database back to a smaller default": Change(
        {"database": sized("10Gi")}, {"database": {"managed": None}}, "spec.database.managed.storage.size may only grow"
    ),
    "a smaller object store": Change(
        {"objectStorage": {"mode": "Managed", "managed": {"size": "1Ti"}}},
        {"objectStorage": {"managed": {"size": "1000Gi"}}}, "spec.objectStorage.managed.size may only grow",
    ),
}  # fmt: skip

TAKEN = {
    "a larger database": Change({"database": sized("2Gi")}, {"database": sized("2049Mi")}, ""),
    "the same size said otherwise": Change({"database": sized("2Gi")}, {"database": sized("2048Mi")}, ""),
    "a database larger than the default it has": Change({}, {"database": sized("3Gi")}, ""),
    "the default said aloud": Change({}, {"objectStorage": {"managed": {"size": "5Gi"}}}, ""),
    "another image": Change({}, {"image": "bilten:2"}, ""),
    "another Secret of an external database": Change(
        {"database": DATABASE}, {"database": {"external": {"secretRef": {"name": "rotated"}}}}, ""
    ),
    "the policies": Change({}, {"deletionPolicy": "Delete", "driftPolicy": "Report", "paused": True}, ""),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
async def test_it_cannot_be_changed(kube: Kube, case: Change):
    assert (await kube.create(instance(**case.before))).status == 201
    answer = await kube.patch("bilten", {"spec": case.change})
    assert answer.status == 422, answer.body
    assert len(answer.causes) == 1, answer.causes
    assert case.says in answer.causes[0][1]


@pytest.mark.parametrize("case", TAKEN.values(), ids=TAKEN)
async def test_it_may_be_changed(kube: Kube, case: Change):
    assert (await kube.create(instance(**case.before))).status == 201
    answer = await kube.patch("bilten", {"spec": case.change})
    assert answer.status == 200, answer.causes
    assert answer.body["metadata"]["generation"] == 2
