"""`spec.exposure`: the way in from outside the cluster."""

from typing import ClassVar, Literal

from pydantic import Field

from bilten_operator.api.block import Block, everywhere
from bilten_operator.api.rules import Rule, belongs, mode, needs
from bilten_operator.api.values import HostName, ObjectName, Size


class Tls(Block):
    """The certificate of the hosts."""

    secret_name: ObjectName = Field(
        description="Secret of type kubernetes.io/tls in the instance's namespace. Its certificate names the host, and "
        "the host of objectStorage.publicEndpoint if the operator exposes that."
    )


class Gateway(Block):
    """A Gateway that exists already. Its listener decides about TLS."""

    name: ObjectName = Field(description="Name of the Gateway.")
    namespace: ObjectName | None = Field(None, description="Namespace of the Gateway; the instance's own if left out.")
    section_name: ObjectName | None = Field(None, description="Listener of the Gateway; any that fits if left out.")


class Exposure(Block):
    """Whether and how the API is reached from outside the cluster."""

    RULES: ClassVar = (
        Rule(
            f"{mode('None')} == 'None' || has(self.host)",
            "{field}.host is required unless {field}.mode is None: name the host under which browsers reach the API",
            reason="FieldValueRequired",
        ),
        Rule(
            f"{mode('None')} != 'None' || !has(self.host)",
            "{field}.host has no effect while {field}.mode is None: remove it, or set the mode to Ingress or Gateway",
            at=".host",
            reason="FieldValueForbidden",
        ),
        *needs("Gateway", "gateway", "name the Gateway in it"),
        belongs("Ingress", "className"),
        belongs("Ingress", "tls"),
        belongs("Ingress", "maxUploadSize"),
    )

    mode: Literal["None", "Ingress", "Gateway"] = everywhere(
        "None",
        description="None: reached inside the cluster only. Ingress: the operator makes an Ingress. Gateway: it "
        "makes an HTTPRoute of the Gateway API.",
    )
    host: HostName | None = Field(None, description="Host name under which browsers reach the API.")
    class_name: ObjectName | None = Field(None, description="IngressClass; the cluster's default if left out.")
    tls: Tls | None = Field(None, description="Serve HTTPS. Without it the Ingress serves HTTP only.")
    max_upload_size: Size | None = Field(
        None,
        description="Largest request body that the Ingress lets through, like 100Mi; what the API takes at most if "
        "left out.",
    )
    gateway: Gateway | None = Field(None, description="The Gateway that the HTTPRoute attaches to.")
