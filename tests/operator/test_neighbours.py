"""Instances of one namespace: none takes over what another has, and none leaves anything behind in the operator."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from bilten_operator.cluster.client import Client
from bilten_operator.cluster.kinds import kind_of
from kubernetes.aio.client import ApiClient, Configuration
from support.apiserver import Address
from support.clients import PATIENCE
from support.instances import instance
from support.kube import Kube
from support.lives import Mortal, World

INGRESS = kind_of("networking.k8s.io/v1", "Ingress")


@pytest.fixture
async def api(stubbed: Address) -> AsyncIterator[ApiClient]:
    settings = Configuration(host=stubbed.url)
    settings.ssl_ca_cert = stubbed.ca
    settings.api_key["BearerToken"] = f"Bearer {stubbed.token}"
    async with ApiClient(settings) as api:
        yield api


async def up(api: ApiClient, kube: Kube, name: str, **spec: Any) -> World:
    world = World(Mortal(api, PATIENCE), Client(api, PATIENCE), kube.namespace, name)
    answer = await kube.create(instance(name, **spec))
    assert answer.status == 201, answer.body
    await world.rest()
    return world


async def test_an_object_of_another_instance_is_not_taken_over(api: ApiClient, kube: Kube):
    files = {"mode": "Managed", "publicEndpoint": "http://files.example.com"}
    # Its object store's way in is called `shop-objects`, as is the other's own.
    shop = await up(api, kube, "shop", exposure={"mode": "Ingress", "host": "shop.example.com"}, objectStorage=files)
    assert (await shop.state())["status"]["phase"] == "Ready"
    other = await up(api, kube, "shop-objects", exposure={"mode": "Ingress", "host": "other.example.com"})
    found = await shop.calm.get(INGRESS, kube.namespace, "shop-objects")
    assert found
    assert found["spec"]["rules"][0]["host"] == "files.example.com"
    told = (await kube.get("shop-objects"))["status"]
    assert told["waitingFor"]["name"] == "shop-objects"
    assert "is not this instance's" in told["waitingFor"]["message"]
    before = len(shop.client.writes) + len(other.client.writes)
    await shop.rest()
    await other.rest()
    assert len(shop.client.writes) + len(other.client.writes) == before


async def test_of_an_instance_that_is_gone_nothing_is_kept(api: ApiClient, kube: Kube):
    world = await up(api, kube, "shop")
    kept = world._reconciler._results  # noqa: SLF001 - nobody else sees what a process keeps
    assert len(kept) == 1
    await kube.request("DELETE", f"{kube.instances}/shop")
    await world.rest()
    assert not kept
