"""One frozen Settings from the environment; every wrong variable named, no value shown."""

import json
import re
from pathlib import Path

import bilten.settings as configuration
import pytest
from bilten.local.backing import BUCKETS
from bilten.settings import PROFILES, Settings, SettingsError, load
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.secrets import SECRET_KEY, TOKEN_KEYS

MIB = 1024**2

REQUIRED = {
    "BILTEN_DATABASE_URL": "postgresql://u:hunter2@h/db",
    "BILTEN_SECRET_KEY": SECRET_KEY,
    "BILTEN_TOKEN_KEYS": TOKEN_KEYS,
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    import os  # noqa: PLC0415 only this fixture looks at the environment

    for name in list(os.environ):
        if name.startswith("BILTEN_"):
            monkeypatch.delenv(name)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_development_is_the_default_and_comes_with_its_profile():
    settings = load()
    assert settings.environment == "development"
    assert settings.seed
    assert settings.auto_migrate
    assert settings.outage_drops_cors
    assert "http://localhost:3002" in settings.cors_origins


def test_production_has_none_of_developments_conveniences(environment: pytest.MonkeyPatch):
    environment.setenv("BILTEN_ENVIRONMENT", "production")
    settings = load()
    assert settings.production
    conveniences = (settings.seed, settings.auto_migrate, settings.outage_drops_cors, settings.dev_pages)
    assert not any(conveniences)
    assert settings.cors_origins == []
    assert not settings.forgot_password_reveals


def test_the_environment_wins_over_the_profile(environment: pytest.MonkeyPatch):
    environment.setenv("BILTEN_SEED", "false")
    environment.setenv("BILTEN_CORS_ORIGINS", "https://a.example, https://b.example ,")
    assert not load().seed
    assert load().cors_origins == ["https://a.example", "https://b.example"]


def test_every_wrong_variable_is_named_and_no_value_is_shown(environment: pytest.MonkeyPatch):
    environment.delenv("BILTEN_DATABASE_URL")
    environment.setenv("BILTEN_SECRET_KEY", "hunter2")
    environment.setenv("BILTEN_TOKEN_KEYS", '{"keys": [{"d": "hunter2"}]}')
    environment.setenv("BILTEN_PORT", "hunter2")
    environment.setenv("BILTEN_METRICS_NETWORKS", "hunter2")
    environment.setenv("BILTEN_DEFAULT_TIME_ZONE", "hunter2")
    with pytest.raises(SettingsError) as refusal:
        load()
    text = str(refusal.value)
    wrong = ("DATABASE_URL", "SECRET_KEY", "TOKEN_KEYS", "PORT", "METRICS_NETWORKS", "DEFAULT_TIME_ZONE")
    assert [name for name in wrong if f"BILTEN_{name}:" not in text] == []
    assert "hunter2" not in text


@pytest.mark.parametrize("url", ["nonsense", "mysql://me:hunter2@h/db", "", "postgresql://h:hunter2port/db"])
def test_what_is_no_postgres_url_is_refused_before_anything_starts(environment: pytest.MonkeyPatch, url: str):
    environment.setenv("BILTEN_DATABASE_URL", url)
    with pytest.raises(SettingsError, match="BILTEN_DATABASE_URL: must be a Postgres URL") as refusal:
        load()
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("without", ["kid", "x", "d", "crv", "kty"])
def test_a_token_key_that_cannot_sign_is_refused_before_anything_starts(environment: pytest.MonkeyPatch, without: str):
    keys = json.loads(TOKEN_KEYS)
    del keys["keys"][0][without]
    environment.setenv("BILTEN_TOKEN_KEYS", json.dumps(keys))
    with pytest.raises(SettingsError, match="BILTEN_TOKEN_KEYS: must be a JSON Web Key Set"):
        load()


def test_every_setting_has_an_effect():
    service = Path(configuration.__file__).parent
    code = "".join(path.read_text() for path in service.rglob("*.py") if path.name != "settings.py")
    # The environment chooses the profile, within the settings themselves.
    names = set(Settings.model_fields) - {"environment"}
    assert [name for name in names if not re.search(rf"(?i:settings)(\]|\(\))?\.{name}\b", code)] == []


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError):
        load().port = 1  # type: ignore[misc]


def test_secrets_print_as_stars():
    shown = f"{load()!r} {load()}"
    assert "hunter2" not in shown
    assert SECRET_KEY not in shown


@given(
    st.sampled_from(sorted(Settings.model_fields)),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_in_any_variable_ends_in_anything_but_settings_or_a_named_error(name: str, text: str):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(f"BILTEN_{name.upper()}", text)
        try:
            refusal = None
            load()
        except SettingsError as error:
            refusal = str(error)
    # Where it does not go with another, both are named.
    assert refusal is None or re.search(rf"\bBILTEN_{name.upper()}\b", refusal)


def test_profiles_name_only_settings_that_exist():
    assert [field for profile in PROFILES.values() for field in profile if field not in Settings.model_fields] == []


def test_the_local_stores_buckets_are_those_of_development():
    named = {name: PROFILES["development"][name.removeprefix("BILTEN_").lower()] for name in BUCKETS}
    assert named == BUCKETS


def test_one_bucket_for_what_is_clean_and_what_is_not_is_refused(environment: pytest.MonkeyPatch):
    environment.setenv("BILTEN_S3_MEDIA_BUCKET", "bilten-dev-quarantine")
    with pytest.raises(SettingsError, match="BILTEN_S3_QUARANTINE_BUCKET and BILTEN_S3_MEDIA_BUCKET must differ"):
        load()


@pytest.mark.parametrize("largest", ["BILTEN_MAX_IMAGE_BYTES", "BILTEN_MAX_DOCUMENT_BYTES"])
def test_files_larger_than_the_scanner_takes_are_refused_before_anything_starts(
    environment: pytest.MonkeyPatch, largest: str
):
    environment.setenv("BILTEN_CLAMD_MAX_BYTES", str(60 * MIB))
    environment.setenv(largest, str(60 * MIB))
    load()
    environment.setenv(largest, str(60 * MIB + 1))
    with pytest.raises(SettingsError, match=f"{largest} is more than BILTEN_CLAMD_MAX_BYTES"):
        load()


@pytest.mark.parametrize("largest", ["BILTEN_MAX_IMAGE_BYTES", "BILTEN_MAX_DOCUMENT_BYTES"])
def test_files_that_the_spool_has_no_room_for_are_refused_before_anything_starts(
    environment: pytest.MonkeyPatch, largest: str
):
    environment.setenv("BILTEN_SPOOL_BYTES", str(61 * MIB))
    environment.setenv(largest, str(60 * MIB))
    load()
    environment.setenv(largest, str(60 * MIB + 1))
    with pytest.raises(SettingsError, match=f"BILTEN_SPOOL_BYTES has no room for a file of {largest}"):
        load()
