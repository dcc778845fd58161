"""A real API server takes what the operator makes, says back what was wanted, and lets its pods be `restricted`."""

import json

import pytest
from bilten_operator.cluster.kinds import kind_of
from bilten_operator.plan.drift import holds, rendered
from bilten_operator.plan.model import Apply, CreateOnce
from support.kube import Kube
from support.world import World, pods, samples

SAMPLES = samples()
#: What the API server has by itself; the schemas of the others are not this project's to keep.
GROUPS = {"", "apps", "autoscaling", "batch", "networking.k8s.io", "policy"}


@pytest.mark.parametrize("name", SAMPLES)
async def test_it_takes_every_manifest_and_none_of_them_then_looks_changed(name: str, kube: Kube):
    for write in World(SAMPLES[name], namespace=kube.namespace).provide().converge().history:
        if not isinstance(write, Apply | CreateOnce):
            continue
        manifest = json.loads(json.dumps(write.manifest))
        kind = kind_of(manifest["apiVersion"], manifest["kind"])
        if kind.group not in GROUPS:
            continue
        path = kind.path(kube.namespace, manifest["metadata"]["name"]).lstrip("/")
        answer = await kube.request(
            "PATCH", path, manifest, kind="application/apply-patch+yaml", fieldManager="bilten-operator", force="true"
        )
        assert answer.status in (200, 201), answer.body
        if isinstance(write, Apply):
            last = rendered(answer.body)
            assert last
            assert holds(answer.body, last), f"{kind.kind} would be written again and again"


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_namespace_that_enforces_restricted_lets_every_pod_in(name: str, kube: Kube):
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    await kube.request("PATCH", f"api/v1/namespaces/{kube.namespace}", label, kind="application/merge-patch+json")
    made = pods(World(SAMPLES[name]).provide().converge().objects.values())
    assert len(made) >= 3
    for number, pod in enumerate(made.values()):
        claimed = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
        spec = {**pod, "volumes": [*pod["volumes"], claimed]}
        body = {"metadata": {"name": f"pod-{number}"}, "spec": spec}
        answer = await kube.request("POST", f"api/v1/namespaces/{kube.namespace}/pods", body)
        assert answer.status == 201, answer.body


async def test_it_does_refuse_a_pod_that_is_not_restricted(kube: Kube):
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    await kube.request("PATCH", f"api/v1/namespaces/{kube.namespace}", label, kind="application/merge-patch+json")
    body = {"metadata": {"name": "root"}, "spec": {"containers": [{"name": "root", "image": "x"}]}}
    answer = await kube.request("POST", f"api/v1/namespaces/{kube.namespace}/pods", body)
    assert answer.status == 403
