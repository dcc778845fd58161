"""The resource behaves as platform engineers expect of one: closed, with a status of its own, and legible columns."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from bilten_operator.api.conditions import ConditionType
from bilten_operator.api.names import buckets
from bilten_operator.api.spec import effective
from bilten_operator.api.status import Status
from fixtures.cluster import Kubectl
from support.instances import instance, production
from support.kube import Kube

SAMPLES = sorted((Path(__file__).parents[2] / "manifests" / "samples").glob("*.yaml"))
NOW = "2026-01-02T03:04:05Z"


def status(spec: dict[str, Any], namespace: str) -> dict[str, Any]:
    """A status with every field, as the operator will write it."""
    condition = {
        "type": ConditionType.READY, "status": "True", "observedGeneration": 1,
        "lastTransitionTime": NOW, "reason": "AllReady", "message": "Everything is well.",
    }  # fmt: skip
    names = buckets(namespace, "bilten")
    written = Status.model_validate({
        "observedGeneration": 1, "phase": "Ready", "version": "1.2.3",
        "database": {"state": "3/3 ready"}, "objectStorage": {"state": "Ready"},
        "backup": {"lastSuccessful": NOW},
        "scanner": {"engine": "clamav 1.4.3", "signatures": "27400", "signaturesMadeAt": NOW},
        "buckets": {"quarantine": names.quarantine, "media": names.media, "backup": names.backup},
        "waitingFor": {"kind": "Job", "name": "bilten-migrate", "message": "is running", "since": NOW},
        "conditions": [condition],
        "effective": effective(spec).model_dump(mode="json", by_alias=True, exclude_none=True),
    })  # fmt: skip
    return written.model_dump(mode="json", by_alias=True, exclude_none=True)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
async def test_every_sample_applies(kube: Kube, kubectl: Kubectl, sample: Path):
    written = yaml.safe_load(sample.read_text())  # noqa: ASYNC240 - nothing else runs meanwhile
    assert "created" in kubectl("apply", "--filename", str(sample), namespace=kube.namespace)
    stored = await kube.get("bilten")
    assert stored["spec"] == written["spec"]


async def test_nothing_is_written_into_the_spec_that_its_author_did_not_write(kube: Kube):
    body = instance(api={}, database={"mode": "Managed", "managed": {"pooler": {}}})
    await kube.create(body)
    assert (await kube.get("bilten"))["spec"] == body["spec"]


async def test_an_unknown_field_is_refused_under_strict_validation(kube: Kube):
    answer = await kube.create(instance(api={"replica": 2}, nonsense=1))
    assert answer.status == 400
    assert 'unknown field "spec.api.replica"' in answer.body["message"]
    assert 'unknown field "spec.nonsense"' in answer.body["message"]


async def test_an_unknown_field_is_dropped_otherwise(kube: Kube):
    answer = await kube.create(instance(api={"replica": 2}, nonsense=1), fieldValidation="Ignore")
    assert answer.status == 201
    assert (await kube.get("bilten"))["spec"] == instance(api={})["spec"]


@pytest.mark.parametrize("body", [instance(), production()], ids=["development", "production"])
async def test_a_whole_status_is_stored_as_it_was_written(kube: Kube, body: dict[str, Any]):
    await kube.create(body)
    written = status(body["spec"], kube.namespace)
    assert Status.model_fields.keys() == Status.model_validate(written).model_fields_set
    answer = await kube.patch("bilten", {"status": written}, part="/status")
    assert answer.status == 200, answer.body
    assert (await kube.get("bilten"))["status"] == written


async def test_the_spec_and_the_status_are_written_apart(kube: Kube):
    await kube.create({**instance(), "status": {"phase": "Ready"}})
    assert "status" not in await kube.get("bilten")
    await kube.patch("bilten", {"spec": {"image": "bilten:2"}, "status": {"phase": "Ready"}}, part="/status")
    stored = await kube.get("bilten")
    assert stored["status"] == {"phase": "Ready"}
    assert stored["spec"]["image"] == "bilten:1"
    assert stored["metadata"]["generation"] == 1


async def test_a_condition_is_there_once(kube: Kube):
    body = instance()
    await kube.create(body)
    (condition,) = status(body["spec"], kube.namespace)["conditions"]
    answer = await kube.patch("bilten", {"status": {"conditions": [condition, condition]}}, part="/status")
    assert answer.status == 422
    assert answer.causes[0][0] == "status.conditions[1]"


async def test_kubectl_get_shows_how_an_instance_is(kube: Kube, kubectl: Kubectl):
    body = instance()
    await kube.create(body)
    await kube.patch("bilten", {"status": status(body["spec"], kube.namespace)}, part="/status")
    head, row = kubectl("get", "biltens", namespace=kube.namespace).splitlines()
    assert head.split() == ["NAME", "READY", "PHASE", "VERSION", "DATABASE", "STORAGE", "LASTBACKUP", "AGE"]
    shown = [row[head.index(name) :].split("  ")[0] for name in ("READY", "PHASE", "VERSION", "DATABASE", "STORAGE")]
    assert shown == ["True", "Ready", "1.2.3", "3/3 ready", "Ready"]


@pytest.mark.parametrize("name", ["biltens", "bilten", "bilteninstance", "bilten-all"])
async def test_it_goes_by_several_names(kube: Kube, kubectl: Kubectl, name: str):
    await kube.create(instance())
    assert "bilten" in kubectl("get", name, "--output=name", namespace=kube.namespace)


@pytest.mark.usefixtures("crds")
def test_kubectl_explains_the_fields(kubectl: Kubectl):
    assert "May grow, never shrink" in kubectl("explain", "bilteninstance.spec.database.managed.storage.size")


async def test_the_api_server_has_no_complaint_about_the_definition(kube: Kube):
    path = "apis/apiextensions.k8s.io/v1/customresourcedefinitions/bilteninstances.bilten.io"
    found = await kube.request("GET", path)
    conditions = {condition["type"]: condition["status"] for condition in found.body["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
