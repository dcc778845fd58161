"""Environment variables → one frozen `Settings`. Nothing else in the service reads `os.environ`.

Every field is one variable, `BILTEN_` and its name in capitals. Defaults that differ between environments are in
`PROFILES`; what the environment says wins over them.
"""

import ipaddress
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

import jwt
from pydantic import AfterValidator, AnyHttpUrl, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bilten.db.url import parse_url

Environment = Literal["development", "staging", "production"]

#: What each environment sets where the variables are silent. A field absent here has one default everywhere.
PROFILES: dict[Environment, dict[str, Any]] = {
    "development": {
        "auto_migrate": True,
        "seed": True,
        "outage_drops_cors": True,
        "dev_pages": True,
        "organizer_signup": "open",
        "forgot_password_reveals": True,
        "password_min_length": 6,
        "anonymous_requests_per_minute": 3000,
        "user_requests_per_minute": 3000,
        "s3_quarantine_bucket": "bilten-dev-quarantine",
        "s3_media_bucket": "bilten-dev-media",
        "cors_origins": [
            f"http://{host}:{port}" for port in (3000, 3002, 4173, 5173) for host in ("localhost", "127.0.0.1")
        ],
    },
    "staging": {},
    "production": {},
}


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be an IANA time zone, like Africa/Cairo") from None
    return name


def _signs(key: dict[str, Any]) -> bool:
    """Whether a token can be signed with this key and told apart by it; an error is as good as no."""
    try:
        return key["crv"] == "Ed25519" and bool(key["kid"]) and bool(jwt.PyJWK(key, "EdDSA").key.sign(b""))
    except (jwt.PyJWTError, AttributeError):
        return False


UploadType = Literal["jpeg", "png", "webp", "gif", "pdf", "doc", "docx", "xlsx", "odt"]

CommaSeparated = Annotated[list[str], NoDecode]

#: What the keys of signed links are called by, and their shortest secret.
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_KEY_LENGTH = 32

#: What a form has beside its file, generously.
_FORM_BYTES = 1024**2


class Settings(BaseSettings):
    """One process's configuration. Secrets are `SecretStr`: they print as stars."""

    model_config = SettingsConfigDict(env_prefix="BILTEN_", frozen=True, extra="ignore", hide_input_in_errors=True)

    environment: Environment = Field(
        "development", description="Which defaults apply: development, staging or production."
    )
    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: int = Field(3001, ge=0, le=65535, description="Port the API listens on. The scanner app knows only 3001.")
    frontend_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://localhost:3000"), description="Where the links in mails lead: the frontend's base address."
    )

    database_url: SecretStr = Field(description="Postgres to use, `postgresql://user:password@host:port/name`.")
    database_pool_size: int = Field(
        10,
        ge=2,
        le=500,
        description="Connections one process may hold for its work; one more is for its health check.",
    )
    database_acquire_timeout_s: float = Field(
        3, gt=0, le=9, description="Longest wait for a free connection, in seconds."
    )
    database_connect_timeout_s: float = Field(
        2, gt=0, le=9, description="Longest wait for a new connection, in seconds."
    )
    database_statement_timeout_ms: int = Field(
        5000, ge=100, description="Longest a statement may run, in milliseconds."
    )
    database_lock_timeout_ms: int = Field(
        2000, ge=100, description="Longest a statement may wait for a lock, in milliseconds."
    )
    auto_migrate: bool = Field(False, description="Bring the schema to the newest revision when the API starts.")
    seed: bool = Field(False, description="Insert the sample accounts, events and articles when the API starts.")

    s3_endpoint: AnyHttpUrl | None = Field(None, description="Object store, any that speaks S3.")
    s3_access_key: SecretStr | None = Field(None, description="Access key of the object store.")
    s3_secret_key: SecretStr | None = Field(None, description="Secret key of the object store.")
    s3_region: str = Field("us-east-1", description="Region the object store signs for.")
    s3_public_endpoint: AnyHttpUrl | None = Field(
        None, description="The object store as browsers reach it, for direct uploads; else `BILTEN_S3_ENDPOINT`."
    )
    s3_quarantine_bucket: str = Field(
        "bilten-quarantine", min_length=3, max_length=63, description="Bucket of files that were not found clean (yet)."
    )
    s3_media_bucket: str = Field(
        "bilten-media", min_length=3, max_length=63, description="Bucket of files that were found clean."
    )
    s3_connect_timeout_s: float = Field(
        2, gt=0, le=30, description="Longest wait for a connection to the object store, in seconds."
    )
    s3_read_timeout_s: float = Field(
        10, gt=0, le=120, description="Longest wait for the object store's next word, in seconds."
    )

    link_keys: SecretStr | None = Field(
        None,
        description="Keys of signed links, `id:secret` with 32 characters or more, comma-separated; the first signs, "
        "all verify. Without them one is derived from `BILTEN_SECRET_KEY`.",
    )
    cdn_base_url: AnyHttpUrl | None = Field(
        None, description="Base address of the CDN whose origin is this API; public files are linked to there."
    )
    cdn_purge: Literal["none", "urls", "keys"] = Field(
        "none",
        description="How caches are told to forget: `none`, so that they keep files for 10 s only; `urls`, `PURGE` of "
        "each address; `keys`, `PURGE` with surrogate keys.",
    )
    cdn_purge_urls: CommaSeparated = Field(
        default_factory=list,
        description="Where purges go, each of these addresses (one for a cache node), comma-separated; else the CDN.",
    )
    cdn_purge_token: SecretStr | None = Field(None, description="Bearer token of purges.")
    cdn_key_header: str = Field(
        "Surrogate-Key",
        pattern=r"^[A-Za-z0-9-]+$",
        description="Header with the surrogate keys, of answers and of purges.",
    )
    cdn_timeout_s: float = Field(5, gt=0, le=60, description="Longest wait for one purge, in seconds.")

    secret_key: SecretStr = Field(
        min_length=32,
        description="Signs cursors and encrypts stored answers; at least 32 characters, the same in every process.",
    )
    token_keys: SecretStr = Field(
        description="JSON Web Key Set of Ed25519 private keys; the first signs access tokens, all verify them."
    )
    access_token_ttl_s: int = Field(
        7 * 86400, ge=60, description="Life of an access token; the frontend never refreshes."
    )
    refresh_token_ttl_s: int = Field(30 * 86400, ge=60, description="Life of a refresh token, in seconds.")
    reset_token_ttl_s: int = Field(
        3600, ge=60, description="Life of a password-reset link; the frontend promises one hour."
    )
    verification_token_ttl_s: int = Field(86400, ge=60, description="Life of an e-mail verification link, in seconds.")
    password_min_length: int = Field(8, ge=6, le=128, description="Shortest new password.")
    organizer_signup: Literal["open", "request"] = Field(
        "request", description="`open`: registering as organizer makes one; `request`: an admin has to grant it."
    )
    forgot_password_reveals: bool = Field(
        False, description="Answer 404 for unknown addresses, as the frontend's mock does."
    )

    cors_origins: CommaSeparated = Field(
        default_factory=list, description="Origins browsers may call from, comma-separated."
    )
    outage_drops_cors: bool = Field(
        False,
        description="Leave CORS headers off 503 answers of mocked calls, so that the frontend falls back to its mock.",
    )
    max_connections: int = Field(
        4000, ge=1, description="Connections one process holds, or as many as its open files allow; one more gets 503."
    )
    max_json_bytes: int = Field(1024 * 1024, ge=1024, description="Largest JSON body, in bytes.")
    public_url: AnyHttpUrl | None = Field(
        None, description="Where browsers reach this API; the addresses of files begin with it, unless with the CDN's."
    )
    user_quota_bytes: int = Field(5 * 1024**3, ge=0, description="What a user may store, in bytes.")
    organizer_quota_bytes: int = Field(
        20 * 1024**3, ge=0, description="What organizers and admins may store, in bytes."
    )
    spool_dir: Path | None = Field(
        None, description="Folder for uploads until they are looked at; the system's temporary one if none."
    )
    spool_bytes: int = Field(
        1024**3, ge=1024 * 1024, description="Bytes that the uploads under way of one process may hold there together."
    )
    uploads_at_once: int = Field(
        4, ge=1, description="Uploads that one process takes of one user at a time; one more gets 429."
    )
    upload_idle_s: float = Field(30, gt=0, description="Longest wait for the next byte of an upload, in seconds.")
    upload_total_s: float = Field(
        60, gt=0, description="Longest an upload may take, in seconds; each 64 KiB of it may take one more."
    )
    upload_types: Annotated[list[UploadType], NoDecode] = Field(
        default_factory=lambda: list(get_args(UploadType)),
        min_length=1,
        description="Types of files that may be uploaded, comma-separated, of those that are known.",
    )
    max_image_bytes: int = Field(10 * 1024**2, ge=1, description="Largest picture that may be uploaded, in bytes.")
    max_document_bytes: int = Field(50 * 1024**2, ge=1, description="Largest document that may be uploaded, in bytes.")
    max_image_pixels: int = Field(
        50_000_000, ge=1, description="Most pixels of a picture, those of all frames together."
    )
    inspection_processes: int = Field(
        0, ge=0, le=64, description="Files looked at or rendered at once, each in a process of its own; 0: one a core."
    )
    inspection_timeout_s: float = Field(30, gt=0, description="Longest a file may take to look at or to render.")
    inspection_memory_bytes: int = Field(
        1024**3, ge=512 * 1024**2, description="Memory that looking at one file may take, as address space."
    )
    clamd_socket: Path | None = Field(None, description="Unix socket of clamd, which scans what is uploaded.")
    clamd_host: str | None = Field(None, description="Host of clamd, where it is not reached by a socket.")
    clamd_port: int = Field(3310, ge=1, le=65535, description="TCP port of clamd.")
    clamd_max_bytes: int = Field(
        100 * 1024**2, ge=1, description="Largest file clamd is sent: its own StreamMaxLength, and no more."
    )
    clamd_concurrency: int = Field(8, ge=1, le=1000, description="Scans at once; fewer than clamd's MaxThreads.")
    clamd_timeout_s: float = Field(
        130, gt=0, description="Longest wait for clamd's verdict; longer than its own MaxScanTime."
    )
    download_stall_s: float = Field(
        30, gt=0, description="Longest a reader of a file may take for the next 64 KiB, in seconds."
    )
    anonymous_requests_per_minute: int = Field(
        300, ge=1, description="Requests a minute from one address without a token."
    )
    user_requests_per_minute: int = Field(600, ge=1, description="Requests a minute of one signed-in user.")
    shutdown_grace_s: float = Field(20, ge=0, description="How long requests under way may take to finish at shutdown.")
    default_time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        "UTC", description="Time zone of an event that names none, and of its times without an offset."
    )
    dev_pages: bool = Field(False, description="Serve /dev/mail, the outbox of development. Refused in production.")
    metrics_networks: CommaSeparated = Field(
        default_factory=lambda: ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
        description="Networks that may read /metrics, unless through a proxy, comma-separated.",
    )

    worker_port: int = Field(
        0, ge=0, le=65535, description="Port of the worker's own /livez, /readyz and /metrics; 0: none."
    )
    worker_poll_s: float = Field(0.2, gt=0, le=60, description="How often an idle worker looks for jobs, in seconds.")
    worker_lease_s: float = Field(60, gt=0, description="After how long a job of a vanished worker is taken over.")
    worker_max_attempts: int = Field(8, ge=1, description="Attempts before a job becomes a dead letter.")

    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="`auto`: readable on a terminal, else JSON."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe line that is logged."
    )

    @model_validator(mode="before")
    @classmethod
    def _profile_defaults(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        profile = PROFILES.get(values.get("environment", "development"), {})
        return {**profile, **values}

    @field_validator("cors_origins", "metrics_networks", "cdn_purge_urls", "upload_types", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("metrics_networks")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        try:
            for network in value:
                ipaddress.ip_network(network)
        except ValueError:
            raise ValueError("must be networks like 10.0.0.0/8, comma-separated") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _names_a_postgres(cls, value: SecretStr) -> SecretStr:
        parse_url(value.get_secret_value())
        return value

    @field_validator("token_keys")
    @classmethod
    def _is_key_set(cls, value: SecretStr) -> SecretStr:
        try:
            keys = json.loads(value.get_secret_value())["keys"]
            usable = bool(keys) and all(_signs(key) for key in keys)
        except (ValueError, KeyError, TypeError):
            usable = False
        if not usable:
            raise ValueError("must be a JSON Web Key Set whose keys have kty OKP, crv Ed25519, a kid, x and d")
        return value

    @field_validator("link_keys")
    @classmethod
    def _are_link_keys(cls, value: SecretStr | None) -> SecretStr | None:
        pairs = (
            [pair.strip().partition(":") for pair in value.get_secret_value().split(",")] if value is not None else []
        )
        names = [name for name, _, _ in pairs]
        if len(set(names)) < len(names) or not all(
            _KEY_ID.fullmatch(name) and len(secret) >= _KEY_LENGTH for name, _, secret in pairs
        ):
            raise ValueError("must be keys like 2026a:secret, comma-separated, each secret of 32 characters or more")
        return value

    @model_validator(mode="after")
    def _purges_know_where_to_go(self) -> "Settings":
        if self.cdn_purge != "none" and self.cdn_base_url is None:
            raise ValueError("BILTEN_CDN_PURGE needs BILTEN_CDN_BASE_URL")
        if self.s3_quarantine_bucket == self.s3_media_bucket:
            raise ValueError("BILTEN_S3_QUARANTINE_BUCKET and BILTEN_S3_MEDIA_BUCKET must differ")
        return self

    @model_validator(mode="after")
    def _what_may_be_uploaded_can_be_taken(self) -> "Settings":
        for name in ("max_image_bytes", "max_document_bytes"):
            most = getattr(self, name)
            if most > self.clamd_max_bytes:
                raise ValueError(
                    f"BILTEN_{name.upper()} is more than BILTEN_CLAMD_MAX_BYTES, so that such files would never be "
                    "found clean: raise that and clamd's own StreamMaxLength, or lower this"
                )
            if most + _FORM_BYTES > self.spool_bytes:
                raise ValueError(
                    f"BILTEN_SPOOL_BYTES has no room for a file of BILTEN_{name.upper()} and 1 MiB of its form, so "
                    "that such files could never be uploaded: raise it, or lower that"
                )
        return self

    @model_validator(mode="after")
    def _production_is_strict(self) -> "Settings":
        for name in ("seed", "dev_pages"):
            if self.production and getattr(self, name):
                raise ValueError(f"BILTEN_{name.upper()} is for development and must be off in production")
        return self

    @property
    def production(self) -> bool:
        """Whether the strictest rules apply."""
        return self.environment == "production"


class SettingsError(Exception):
    """The environment does not make valid settings; the message names each variable and what is wrong with it."""


def load() -> Settings:
    """Read the environment. Raises `SettingsError` with one line per wrong variable, never with its value."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(describe(error)) from None


def describe(error: ValidationError) -> str:
    """One line per wrong setting: the variable's name and the reason, without the value that was given."""
    lines = []
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        # Of a list, what is wrong with one of its values: the variable is the list's.
        name = f"BILTEN_{item['loc'][0]}".upper() if item["loc"] else "BILTEN_*"
        reason = "is not set" if item["type"] == "missing" else item["msg"].removeprefix("Value error, ")
        lines.append(f"{name}: {reason}")
    return "\n".join(lines)
