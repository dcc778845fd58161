"""The Kubernetes API as tests see it: requests, and answers with their status."""

import ssl
from typing import Any, NamedTuple, Self

import aiohttp
from support.apiserver import Address

INSTANCES = "apis/bilten.io/v1alpha1/namespaces/{namespace}/bilteninstances"
MERGE = "application/merge-patch+json"


class Answer(NamedTuple):
    """An object, or a refusal."""

    status: int
    body: dict[str, Any]

    @property
    def causes(self) -> list[tuple[str, str]]:
        """What is wrong with which field, as kubectl prints it."""
        causes = self.body.get("details", {}).get("causes", [])
        return [(cause.get("field", ""), cause["message"]) for cause in causes]


class Kube:
    """One namespace of an API server. To be entered."""

    def __init__(self, address: Address, namespace: str) -> None:
        self._address = address
        self.namespace = namespace
        self.instances = INSTANCES.format(namespace=namespace)

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context(cafile=self._address.ca)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context), timeout=aiohttp.ClientTimeout(60),
            headers={"Authorization": f"Bearer {self._address.token}"},
        )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def request(
        self, method: str, path: str, body: Any = None, *, kind: str = "application/json", **params: str
    ) -> Answer:
        """One request; unknown fields are refused unless `fieldValidation` says otherwise."""
        async with self._session.request(
            method, f"{self._address.url}/{path}", json=body,
            params={"fieldValidation": "Strict", **params}, headers={"Content-Type": kind},
        ) as response:  # fmt: skip
            return Answer(response.status, await response.json())

    async def make_namespace(self) -> None:
        """Make it; nothing ends it but the end of the server."""
        made = await self.request("POST", "api/v1/namespaces", {"metadata": {"name": self.namespace}})
        assert made.status == 201, made.body

    async def create(self, body: dict[str, Any], **params: str) -> Answer:
        """Make an instance."""
        return await self.request("POST", self.instances, body, **params)

    async def get(self, name: str) -> dict[str, Any]:
        """An instance that is there."""
        found = await self.request("GET", f"{self.instances}/{name}")
        assert found.status == 200, found.body
        return found.body

    async def patch(self, name: str, change: dict[str, Any], *, part: str = "") -> Answer:
        """Merge a change into an instance, or into its `part` `/status`."""
        return await self.request("PATCH", f"{self.instances}/{name}{part}", change, kind=MERGE)
