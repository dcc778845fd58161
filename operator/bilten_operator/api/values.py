"""Single values that several parts of the resource share. Each has a longest length: CEL's cost is judged by it."""

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from bilten_operator.api.block import Block
from bilten_operator.api.rules import Checked, Rule

_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
#: As browsers reach it: with a dot, and no address.
HOST = rf"({_LABEL}\\.)+[a-z]([-a-z0-9]{{0,61}}[a-z0-9])?"

#: The size of a volume. A string, as shrinking it is refused by comparing.
Size = Annotated[
    str,
    Field(max_length=32),
    Checked(
        Rule(
            "isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))",
            "{field} must be a quantity greater than zero, like 500Mi or 20Gi",
        )
    ),
]

#: CPU or memory, as containers have it: a string, or a bare number of cores or bytes.
Amount = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "maxLength": 32}),
    Checked(
        Rule(
            "isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))",
            "{field} must be a quantity greater than zero, like 250m or 2 for CPU, 512Mi or 2Gi for memory",
        )
    ),
]

Duration = Annotated[
    str,
    Field(max_length=16),
    Checked(
        Rule(
            # A century, more or less: in all that has to do with times it can be added to today.
            "self.matches('^[1-9][0-9]{0,5}[smh]$')",
            "{field} must be a whole number of seconds, minutes or hours, like 90s, 15m or 2h",
        )
    ),
]

HostName = Annotated[
    str,
    Field(max_length=253),
    Checked(
        Rule(
            f"self.matches('^{HOST}$')",
            "{field} must be a host name like api.example.com: lower case, at least one dot, no scheme, port or path",
        )
    ),
]

#: A host as pods reach it: a Service, a name outside the cluster, an address.
PodHost = Annotated[
    str,
    Field(max_length=253),
    Checked(
        Rule(
            rf"self.matches('^{_LABEL}(\\.{_LABEL})*$')",
            "{field} must be a host name like clamd.security.svc: lower case, no scheme, port or path",
        )
    ),
]

#: Names of Secrets, classes, Gateways: objects that others made.
ObjectName = Annotated[
    str,
    Field(max_length=253),
    Checked(
        Rule(
            rf"self.matches('^{_LABEL}(\\.{_LABEL})*$')",
            "{field} must be the name of a Kubernetes object: lower-case letters, digits, '-' and '.'",
        )
    ),
]

_PORT = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_HOST_OR_IP = r"([A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?|\\[[0-9A-Fa-f:.]+\\])"
#: `isURL` takes ports above 65535 and letters of every script, which who connects does not.
_WEB = f"isURL(self) && self.matches('^https?://{_HOST_OR_IP}(:{_PORT})?(/.*)?$')"

#: An address that others append paths to.
WebAddress = Annotated[
    str,
    Field(max_length=512),
    Checked(
        Rule(
            f"{_WEB} && !self.contains('@') && !self.contains('?') && !self.contains('#')",
            "{field} must be an address like https://www.example.com, without user, query or fragment",
        )
    ),
]

#: The address of a server that speaks S3.
Endpoint = Annotated[
    str,
    Field(max_length=512),
    Checked(
        Rule(
            f"{_WEB} && url(self).getEscapedPath() in ['', '/'] && !self.contains('@') && !self.contains('?') && "
            "!self.contains('#')",
            "{field} must be an address like https://s3.example.com, without user, path or query",
        )
    ),
]

TimeZone = Annotated[
    str,
    Field(max_length=64),
    Checked(
        Rule(
            r"self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$')",
            "{field} must be an IANA time zone, like UTC or Africa/Cairo",
        )
    ),
]


class SecretRef(Block):
    """A Secret in the instance's own namespace. The operator reads it and never writes it."""

    name: ObjectName = Field(description="Name of the Secret.")
