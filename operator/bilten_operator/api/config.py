"""`spec.config`: the settings of the service that are the platform engineer's to choose.

A field is one environment variable: `maxJsonBytes` is BILTEN_MAX_JSON_BYTES, `shutdownGraceSeconds` is
BILTEN_SHUTDOWN_GRACE_S. What is left out has the default that the service itself has for the environment.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bilten_operator.api.block import Block
from bilten_operator.api.rules import Checked, Rule, value
from bilten_operator.api.values import TimeZone, WebAddress

Origins = Annotated[
    list[Annotated[str, Field(max_length=262)]],
    Field(max_length=64, json_schema_extra={"x-kubernetes-list-type": "set"}),
    Checked(
        Rule(
            "self.all(origin, origin.matches('^https?://[^/?#@, ]+$'))",
            "{field} must be origins like https://www.example.com: scheme and host, no path",
        )
    ),
]

Networks = Annotated[
    list[Annotated[str, Field(max_length=43)]],
    Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"}),
    Checked(Rule("self.all(network, isCIDR(network))", "{field} must be networks like 10.0.0.0/8")),
]

UploadTypes = Annotated[
    list[Literal["jpeg", "png", "webp", "gif", "pdf", "doc", "docx", "xlsx", "odt"]],
    Field(min_length=1, max_length=9, json_schema_extra={"x-kubernetes-list-type": "set"}),
]

#: The service's own defaults of what may be uploaded, and of the room for what is.
IMAGE_BYTES, DOCUMENT_BYTES, SPOOL_BYTES = 10 * 1024**2, 50 * 1024**2, 1024**3
#: What a form has beside its files.
FORM_BYTES = 1024**2


def _room_for(field: str, default: int) -> Rule:
    """The service does not start without."""
    most, spool = value(f"self.{field}", str(default)), value("self.spoolBytes", str(SPOOL_BYTES))
    return Rule(
        f"{most} + {FORM_BYTES} <= {spool}",
        f"{{field}}.spoolBytes has no room for a file of {{field}}.{field} and 1 MiB of its form: raise it, or lower "
        f"{{field}}.{field}",
        at=".spoolBytes",
    )


#: Where a field's name ends in a unit, the variable's is shorter.
_UNITS = {"_seconds": "_s", "_milliseconds": "_ms"}


class Config(Block):
    """Settings of the API and the worker. A change restarts their pods, one after the other."""

    RULES: ClassVar = (_room_for("maxImageBytes", IMAGE_BYTES), _room_for("maxDocumentBytes", DOCUMENT_BYTES))

    frontend_url: WebAddress | None = Field(
        None, description="Where the links in mails lead: the frontend's base address."
    )
    cors_origins: Origins | None = Field(None, description="Origins that browsers may call from.")
    outage_drops_cors: bool | None = Field(
        None,
        description="Leave CORS headers off 503 answers of mocked calls, so that the frontend falls back to its mock.",
    )
    default_time_zone: TimeZone | None = Field(
        None, description="Time zone of an event that names none, and of its times without an offset."
    )
    seed: bool | None = Field(
        None, description="Insert the sample accounts, events and articles at the start. Not in production."
    )
    dev_pages: bool | None = Field(
        None, description="Serve /dev/mail, the mails that would have been sent. Not in production."
    )
    log_level: Literal["debug", "info", "warning", "error"] | None = Field(
        None, description="Least severe line that is logged."
    )

    password_min_length: int | None = Field(None, ge=6, le=128, description="Shortest new password.")
    organizer_signup: Literal["open", "request"] | None = Field(
        None, description="open: registering as organizer makes one; request: an admin has to grant it."
    )
    forgot_password_reveals: bool | None = Field(None, description="Tell whether an address has an account.")
    access_token_ttl_seconds: int | None = Field(None, ge=60, description="Life of an access token.")
    refresh_token_ttl_seconds: int | None = Field(None, ge=60, description="Life of a refresh token.")
    reset_token_ttl_seconds: int | None = Field(None, ge=60, description="Life of a password-reset link.")
    verification_token_ttl_seconds: int | None = Field(None, ge=60, description="Life of a verification link.")

    max_connections: int | None = Field(None, ge=1, description="Connections that one pod holds; one more gets 503.")
    max_json_bytes: int | None = Field(None, ge=1024, description="Largest JSON body.")
    anonymous_requests_per_minute: int | None = Field(
        None, ge=1, description="Requests a minute from one address without a token."
    )
    user_requests_per_minute: int | None = Field(None, ge=1, description="Requests a minute of one signed-in user.")
    shutdown_grace_seconds: float | None = Field(
        None, ge=0, description="How long requests under way may take to finish when a pod ends."
    )
    metrics_networks: Networks | None = Field(None, description="Networks that may read /metrics.")

    database_pool_size: int | None = Field(
        None, ge=2, le=500, description="Connections to the database that one pod may hold for its work."
    )
    database_acquire_timeout_seconds: float | None = Field(
        None, gt=0, le=9, description="Longest wait for a free connection."
    )
    database_connect_timeout_seconds: float | None = Field(
        None, gt=0, le=9, description="Longest wait for a new connection."
    )
    database_statement_timeout_milliseconds: int | None = Field(
        None, ge=100, description="Longest a statement may run."
    )
    database_lock_timeout_milliseconds: int | None = Field(
        None, ge=100, description="Longest a statement may wait for a lock."
    )

    user_quota_bytes: int | None = Field(None, ge=0, description="What a user may store.")
    organizer_quota_bytes: int | None = Field(None, ge=0, description="What organizers and admins may store.")
    upload_types: UploadTypes | None = Field(None, description="Types of files that may be uploaded.")
    max_image_bytes: int | None = Field(None, ge=1, description="Largest picture that may be uploaded.")
    max_image_pixels: int | None = Field(
        None, ge=1, description="Most pixels of a picture, those of all frames together."
    )
    max_document_bytes: int | None = Field(None, ge=1, description="Largest document that may be uploaded.")
    uploads_at_once: int | None = Field(
        None, ge=1, description="Uploads that one process takes of one user at a time; one more gets 429."
    )
    upload_idle_seconds: float | None = Field(None, gt=0, description="Longest wait for the next byte of an upload.")
    upload_total_seconds: float | None = Field(
        None, gt=0, description="Longest an upload may take; each 64 KiB of it may take a second more."
    )
    download_stall_seconds: float | None = Field(
        None, gt=0, description="Longest a reader of a file may take for the next 64 KiB."
    )
    spool_bytes: int | None = Field(
        None, ge=1048576, description="Bytes of uploads under way that one pod may hold on its disk."
    )
    inspection_processes: int | None = Field(
        None, ge=0, le=64, description="Files that one pod looks at or renders at once, 2 if left out; 0: one a core."
    )
    inspection_timeout_seconds: float | None = Field(
        None, gt=0, description="Longest a file may take to look at or to render."
    )
    inspection_memory_bytes: int | None = Field(
        None, ge=536870912, description="Memory that looking at one file may take, as address space."
    )
    clamd_concurrency: int | None = Field(None, ge=1, le=1000, description="Scans of one worker at once.")
    clamd_timeout_seconds: float | None = Field(None, gt=0, description="Longest wait for a verdict.")
    s3_connect_timeout_seconds: float | None = Field(
        None, gt=0, le=30, description="Longest wait for a connection to the object store."
    )
    s3_read_timeout_seconds: float | None = Field(
        None, gt=0, le=120, description="Longest wait for the object store's next word."
    )
    cdn_timeout_seconds: float | None = Field(None, gt=0, le=60, description="Longest wait for one purge.")

    worker_poll_seconds: float | None = Field(None, gt=0, le=60, description="How often an idle worker looks for jobs.")
    worker_lease_seconds: float | None = Field(
        None, gt=0, description="After how long a job of a vanished worker is taken over."
    )
    worker_max_attempts: int | None = Field(None, ge=1, description="Attempts before a job becomes a dead letter.")


def variable(field: str) -> str:
    """The environment variable of a field, named as in this class."""
    for unit, short in _UNITS.items():
        if field.endswith(unit):
            field = field.removesuffix(unit) + short
            break
    return f"BILTEN_{field.upper()}"


def variables(config: Config) -> dict[str, str]:
    """The environment that says what `config` says, as the service reads it; nothing about what it leaves out."""
    environment = {}
    for field in Config.model_fields:
        value = getattr(config, field)
        if value is None:
            continue
        if isinstance(value, bool):
            text = str(value).lower()
        elif isinstance(value, list):
            text = ",".join(value)
        else:
            text = str(value)
        environment[variable(field)] = text
    return environment
