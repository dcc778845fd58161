"""`spec.config` offers the service's settings under its names and bounds, and the service reads what comes of it."""

from typing import Any

import pytest
from bilten.settings import Settings
from bilten_operator.api.config import DOCUMENT_BYTES, IMAGE_BYTES, SPOOL_BYTES, Config, variable, variables
from support.secrets import SECRET_KEY, TOKEN_KEYS

#: What a platform engineer does not choose under `config`, and who does.
NOT_OFFERED = {
    "environment": "spec.environment",
    "host": "the operator: every address of the pod",
    "port": "the operator",
    "worker_port": "the operator: its probes ask there",
    "database_url": "spec.database",
    "auto_migrate": "the operator: never, the migration Job does it",
    "s3_endpoint": "spec.objectStorage",
    "s3_access_key": "spec.objectStorage",
    "s3_secret_key": "spec.objectStorage",
    "s3_region": "spec.objectStorage",
    "s3_public_endpoint": "spec.objectStorage",
    "s3_quarantine_bucket": "spec.objectStorage",
    "s3_media_bucket": "spec.objectStorage",
    "cdn_base_url": "spec.objectStorage.cdn",
    "cdn_purge": "spec.objectStorage.cdn.purge",
    "cdn_purge_urls": "spec.objectStorage.cdn.purge",
    "cdn_purge_token": "spec.objectStorage.cdn.purge",
    "cdn_key_header": "spec.objectStorage.cdn.purge",
    "clamd_socket": "spec.scanner",
    "clamd_host": "spec.scanner",
    "clamd_port": "spec.scanner",
    "clamd_max_bytes": "the operator: what its clamd takes, which is the largest upload or more",
    "public_url": "spec.exposure",
    "spool_dir": "the operator: the pod's own temporary folder",
    "link_keys": "the operator: derived from the generated Secret",
    "secret_key": "the operator: a generated Secret",
    "token_keys": "the operator: a generated Secret",
    "log_format": "the operator: JSON",
}

#: One value of each field that is not its default.
VALUES: dict[str, Any] = {
    "frontend_url": "https://www.example.com",
    "cors_origins": ["https://a.example.com", "https://b.example.com"],
    "outage_drops_cors": True,
    "default_time_zone": "Africa/Cairo",
    "seed": True,
    "dev_pages": False,
    "log_level": "debug",
    "password_min_length": 12,
    "organizer_signup": "open",
    "forgot_password_reveals": True,
    "access_token_ttl_seconds": 61,
    "refresh_token_ttl_seconds": 62,
    "reset_token_ttl_seconds": 63,
    "verification_token_ttl_seconds": 64,
    "max_connections": 65,
    "max_json_bytes": 2048,
    "anonymous_requests_per_minute": 66,
    "user_requests_per_minute": 67,
    "shutdown_grace_seconds": 2.5,
    "metrics_networks": ["10.1.0.0/16", "fd00::/8"],
    "database_pool_size": 3,
    "database_acquire_timeout_seconds": 1.5,
    "database_connect_timeout_seconds": 2.5,
    "database_statement_timeout_milliseconds": 101,
    "database_lock_timeout_milliseconds": 102,
    "user_quota_bytes": 103,
    "organizer_quota_bytes": 104,
    "upload_types": ["jpeg", "pdf"],
    "max_image_bytes": 105,
    "max_image_pixels": 106,
    "max_document_bytes": 107,
    "uploads_at_once": 7,
    "upload_idle_seconds": 10.5,
    "upload_total_seconds": 11.5,
    "download_stall_seconds": 12.5,
    "spool_bytes": 2097152,
    "inspection_processes": 3,
    "inspection_timeout_seconds": 13.5,
    "inspection_memory_bytes": 536870913,
    "clamd_concurrency": 9,
    "clamd_timeout_seconds": 140.5,
    "s3_connect_timeout_seconds": 3.5,
    "s3_read_timeout_seconds": 4.5,
    "cdn_timeout_seconds": 5.5,
    "worker_poll_seconds": 0.25,
    "worker_lease_seconds": 30.0,
    "worker_max_attempts": 4,
}


def setting(field: str) -> str:
    return variable(field).removeprefix("BILTEN_").lower()


def bounds(model: type[Config] | type[Settings], name: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=False)["properties"][name]
    (schema,) = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    return {key: schema[key] for key in ("type", "minimum", "maximum", "exclusiveMinimum", "enum") if key in schema}


def test_every_setting_is_offered_or_is_decided_elsewhere():
    assert {setting(field) for field in Config.model_fields} == Settings.model_fields.keys() - NOT_OFFERED.keys()


@pytest.mark.parametrize("field", Config.model_fields)
def test_the_cluster_refuses_what_the_service_would_refuse(field: str):
    assert bounds(Config, field) == bounds(Settings, setting(field))


def test_the_cluster_knows_the_services_own_limits_of_uploads():
    fields = ("max_image_bytes", "max_document_bytes", "spool_bytes")
    assert [Settings.model_fields[field].default for field in fields] == [IMAGE_BYTES, DOCUMENT_BYTES, SPOOL_BYTES]


def test_the_service_reads_what_config_says(monkeypatch: pytest.MonkeyPatch):
    assert VALUES.keys() == Config.model_fields.keys()
    environment = variables(Config(**VALUES))
    required = {"DATABASE_URL": "postgresql://u:p@h/db", "SECRET_KEY": SECRET_KEY, "TOKEN_KEYS": TOKEN_KEYS}
    for name, value in {**{f"BILTEN_{name}": value for name, value in required.items()}, **environment}.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    read = {field: getattr(settings, setting(field)) for field in VALUES}
    assert {**read, "frontend_url": str(read["frontend_url"]).rstrip("/")} == VALUES


def test_what_config_leaves_out_is_left_to_the_service():
    assert variables(Config()) == {}
    assert variables(Config(seed=False)) == {"BILTEN_SEED": "false"}
