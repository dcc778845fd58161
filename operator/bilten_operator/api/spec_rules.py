"""Rules that look at several parts of `spec` at once."""

import json

from bilten_operator.api.database import DATABASE_SIZE
from bilten_operator.api.names import OBJECT_STORE
from bilten_operator.api.object_storage import OBJECT_STORAGE_SIZE
from bilten_operator.api.rules import Rule, present, value

IMAGE_BY_DIGEST = Rule(
    "self.environment == 'development' || self.image.matches('^[^@]+@sha256:[0-9a-f]{64}$')",
    "{field}.image must be named by its digest outside development, so that every pod runs the same code: append "
    "@sha256: and the digest",
    at=".image",
)

DEBUGGER_IN_DEVELOPMENT = Rule(
    "self.environment == 'development' || !has(self.debugpy) || !self.debugpy",
    "{field}.debugpy lets anyone who reaches it run code, so it is for development only: remove it",
    at=".debugpy",
    reason="FieldValueForbidden",
)


def _not_in_production(setting: str, why: str) -> Rule:
    return Rule(
        f"self.environment != 'production' || !{value(f'self.config.{setting}', 'false')}",
        f"{{field}}.config.{setting} must not be true in production, as {why}: remove it",
        at=".config",
        reason="FieldValueForbidden",
    )


def _only_grows(size: str, defaults: dict[str, str], *, at: str) -> Rule:
    """A size that was left out is the environment's default, which is not in the stored resource."""
    default = f"{json.dumps(defaults)}[self.environment]"
    new, old = (value(f"{side}.{size}", default) for side in ("self", "oldSelf"))
    return Rule(
        f"!isQuantity({new}) || quantity({new}).compareTo(quantity({old})) >= 0",
        f"{{field}}.{size} may only grow, as volumes cannot shrink: set it back, or make it larger",
        at=at,
        reason="FieldValueForbidden",
    )


SIZES = (
    _only_grows("database.managed.storage.size", DATABASE_SIZE, at=".database"),
    _only_grows("objectStorage.managed.size", OBJECT_STORAGE_SIZE, at=".objectStorage"),
)

_BACKUP_URL = "url(self.backup.objectStorage.endpoint)"
#: Not `getHostname()`: of that CEL knows no longest length, so comparing two of them would cost too much.
_PUBLIC_HOST = "self.objectStorage.publicEndpoint.replace('https://', '').replace('http://', '').replace('/', '')"

BACKUPS = (
    Rule(
        "self.database.mode == 'Managed' || !has(self.backup)",
        "{field}.backup has no effect when {field}.database.mode is External: remove it; whoever runs that database "
        "backs it up",
        at=".backup",
        reason="FieldValueForbidden",
    ),
    Rule(
        "self.environment != 'production' || self.database.mode != 'Managed' || self.objectStorage.mode != 'Managed' "
        f"|| {present('self.backup.objectStorage')}",
        "{field}.backup.objectStorage is required in production when {field}.objectStorage.mode is Managed, as backups "
        "must not be lost together with the instance's own store: name a store elsewhere",
        reason="FieldValueRequired",
    ),
    Rule(
        "self.environment != 'production' || self.objectStorage.mode != 'Managed' || "
        f"!has(self.objectStorage.publicEndpoint) || !({present('self.backup.objectStorage')}) || "
        "!isURL(self.backup.objectStorage.endpoint) || "
        f"!({_PUBLIC_HOST} in [{_BACKUP_URL}.getHostname(), {_BACKUP_URL}.getHost()])",
        "{field}.backup.objectStorage.endpoint must not be the instance's own store in production: name a store "
        "elsewhere",
        at=".backup.objectStorage.endpoint",
        reason="FieldValueForbidden",
    ),
)

_EXPOSED = value("self.exposure.mode", "'None'")
_PUBLIC = "!has(self.objectStorage.publicEndpoint) || !isURL(self.objectStorage.publicEndpoint)"

PUBLIC_ENDPOINT = (
    Rule(
        f"!has(self.objectStorage.publicEndpoint) || self.objectStorage.mode != 'Managed' || {_EXPOSED} != 'None'",
        "{field}.objectStorage.publicEndpoint of a managed store is exposed the way {field}.exposure says: set "
        "exposure.mode to Ingress or Gateway, or remove it",
        at=".objectStorage.publicEndpoint",
        reason="FieldValueForbidden",
    ),
    Rule(
        f"{_PUBLIC} || !({present('self.exposure.host')}) || "
        "url(self.objectStorage.publicEndpoint).getHostname() != self.exposure.host",
        "{field}.objectStorage.publicEndpoint must have another host than {field}.exposure.host, so that no uploaded "
        "file is served from the API's origin: choose one",
        at=".objectStorage.publicEndpoint",
    ),
    Rule(
        f"{_PUBLIC} || self.objectStorage.mode != 'Managed' || {_EXPOSED} != 'Ingress' || "
        "(url(self.objectStorage.publicEndpoint).getScheme() == 'https') == has(self.exposure.tls)",
        "{field}.objectStorage.publicEndpoint of a managed store must begin with https:// when {field}.exposure.tls is "
        "set, else with http://: change it, or exposure.tls",
        at=".objectStorage.publicEndpoint",
    ),
)

SPEC_RULES = (
    IMAGE_BY_DIGEST,
    DEBUGGER_IN_DEVELOPMENT,
    _not_in_production("seed", "the sample accounts have known passwords"),
    _not_in_production("devPages", "it shows everyone's mails"),
    *SIZES,
    *BACKUPS,
    *PUBLIC_ENDPOINT,
)

#: The name of the resource is known to the rules of the whole only.
INSTANCE_RULES = (
    Rule(
        "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$')",
        "metadata.name must be at most 30 lower-case letters, digits and '-', beginning with a letter, as the names of "
        "Services are made of it: choose another",
        at=".metadata.name",
    ),
    Rule(
        f"self.spec.environment != 'production' || !({present('self.spec.backup.objectStorage')}) || "
        "!isURL(self.spec.backup.objectStorage.endpoint) || "
        f"!self.spec.backup.objectStorage.endpoint.matches('^https?://[^.:/]*{OBJECT_STORE}([.:/].*)?$') || "
        "self.spec.backup.objectStorage.endpoint.replace('https://', '').replace('http://', '')"
        f".split('{OBJECT_STORE}')[0] != self.metadata.name",
        "spec.backup.objectStorage.endpoint must not be the instance's own store in production: name a store elsewhere",
        at=".spec.backup.objectStorage.endpoint",
        reason="FieldValueForbidden",
    ),
)
