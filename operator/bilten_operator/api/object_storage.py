"""`spec.objectStorage`: a store that the operator runs, or any that speaks S3."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bilten_operator.api.block import Block, by_environment, everywhere
from bilten_operator.api.managed import ManagedOrExternal, fixed_class, fixed_mode
from bilten_operator.api.rules import Checked, Rule, belongs, mode, needs
from bilten_operator.api.values import HOST, Endpoint, ObjectName, SecretRef, Size, WebAddress

#: What `managed.size` is in each environment when left out; shrinking is judged by it, too.
OBJECT_STORAGE_SIZE = {"development": "5Gi", "staging": "20Gi", "production": "100Gi"}

Region = Annotated[
    str,
    Field(max_length=64),
    Checked(
        Rule(
            "self.matches('^[A-Za-z0-9][A-Za-z0-9_-]*$')",
            "{field} must be the name of a region, like us-east-1",
        )
    ),
]


Nodes = Annotated[
    list[Annotated[str, Field(max_length=512)]],
    Field(min_length=1, max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"}),
    Checked(
        Rule(
            "self.all(node, node.matches('^https?://[^/?#@, ]+(/[^?#, ]*)?$'))",
            "{field} must be addresses like https://cache-1.example.com, without user, query or fragment",
        )
    ),
]

HeaderName = Annotated[
    str,
    Field(max_length=64),
    Checked(Rule("self.matches('^[A-Za-z0-9-]+$')", "{field} must be the name of a header, like Surrogate-Key")),
]


class ManagedStore(Block):
    """A MinIO of this instance's own."""

    size: Size = by_environment(**OBJECT_STORAGE_SIZE, description="Size of the volume. May grow, never shrink.")
    class_name: ObjectName | None = Field(
        None, description="StorageClass; the cluster's default if left out. Cannot be changed."
    )


class Store(Block):
    """A server that speaks S3."""

    endpoint: Endpoint = Field(description="Address of the server, as pods reach it.")
    region: Region = everywhere("us-east-1", description="Region that requests are signed for.")
    secret_ref: SecretRef = Field(
        description="Secret with the keys `accessKey` and `secretKey`: an account that may make its buckets and use "
        "them."
    )


class Purge(Block):
    """How the network is told to forget what was deleted, replaced or made private. The worker sends `PURGE`."""

    by: Literal["Urls", "Keys"] = Field(
        description="Urls: each address. Keys: the surrogate keys that the answers carry in a header."
    )
    nodes: Nodes | None = Field(None, description="Where purges go, each of these addresses; else the network's own.")
    header: HeaderName | None = Field(None, description="Header with the surrogate keys; Surrogate-Key if left out.")
    secret_ref: SecretRef | None = Field(None, description="Secret with the key `token`: sent as a bearer token.")


class Cdn(Block):
    """A content delivery network before the public objects. Its origin is the API."""

    url: WebAddress = Field(description="Address that it answers under, like https://cdn.example.com.")
    purge: Purge | None = Field(
        None, description="How it is told to forget. Without, it serves what was deleted until that expires there."
    )


class ObjectStorage(ManagedOrExternal):
    """Where files are kept. The buckets are called `<namespace>-<name>-quarantine`, `-media` and `-backup`."""

    RULES: ClassVar = (
        *needs("External", "external", "name the server and the Secret with its keys in it"),
        belongs("Managed", "managed"),
        fixed_class("managed.className", "make a new instance"),
        Rule(
            f"{mode()} != 'Managed' || !has(self.publicEndpoint) || "
            f"self.publicEndpoint.matches('^https?://{HOST}(:[0-9]+)?/?$')",
            "{field}.publicEndpoint of a managed store is exposed under its host: give a name in lower case with at "
            "least one dot, like https://files.example.com",
            at=".publicEndpoint",
        ),
    )

    mode: Annotated[Literal["Managed", "External"], Checked(fixed_mode("the files"))] = Field(
        description="Managed: the operator runs a store. External: it uses one that exists. Cannot be changed."
    )
    managed: ManagedStore | None = Field(None, description="How the operator runs the store.")
    external: Store | None = Field(None, description="Which store to use.")
    public_endpoint: Endpoint | None = Field(
        None,
        description="Address under which browsers reach the store, a host of its own. The operator exposes a managed "
        "store there, and lets the origins of config.corsOrigins use it.",
    )
    cdn: Cdn | None = Field(None, description="Serve public objects through a content delivery network.")
