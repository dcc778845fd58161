"""What is uploaded fits through the way in, and onto the disks of the pods."""

import json
from functools import cache
from typing import Any

import pytest
from bilten.settings import Settings
from support.secrets import SECRET_KEY, TOKEN_KEYS
from support.world import World, samples

DEVELOPMENT = samples()["development"]
LIMIT = 200 * 2**20
LARGE = {"maxDocumentBytes": 200 * 2**20, "maxImageBytes": 1, "spoolBytes": 201 * 2**20}
BODY = "nginx.ingress.kubernetes.io/proxy-body-size"


@cache
def world(config: str) -> World:
    return World({**DEVELOPMENT, "config": json.loads(config)}).provide().converge()


def made(kind: str, name: str, config: dict[str, Any] | None = None) -> dict[str, Any]:
    found = world(json.dumps(config or {})).find(kind, name)
    assert found
    return found


def pod_of(name: str, config: dict[str, Any] | None = None) -> dict[str, Any]:
    pod: dict[str, Any] = made("Deployment", name, config)["spec"]["template"]["spec"]
    return pod


def room(pod: dict[str, Any], container: str) -> str:
    """What a container's /tmp may hold."""
    mounts = next(each for each in pod["containers"] if each["name"] == container)["volumeMounts"]
    volume = next(each["name"] for each in mounts if each["mountPath"] == "/tmp")  # noqa: S108 an emptyDir
    size: str = next(each for each in pod["volumes"] if each["name"] == volume)["emptyDir"]["sizeLimit"]
    return size


def test_the_largest_upload_passes_the_ingress_unless_the_spec_says_otherwise():
    for name in ("bilten", "bilten-objects"):
        assert made("Ingress", name)["metadata"]["annotations"][BODY] == "51m"
        assert made("Ingress", name, LARGE)["metadata"]["annotations"][BODY] == "201m"
        assert made("Ingress", name, {"maxDocumentBytes": 1})["metadata"]["annotations"][BODY] == "51m", "a gallery"


def test_uploads_under_way_do_not_get_a_pod_of_the_api_evicted():
    assert room(pod_of("bilten-api"), "api") == "1088Mi"
    assert room(pod_of("bilten-api", LARGE), "api") == "265Mi"


def test_files_that_are_scanned_do_not_get_a_worker_evicted():
    assert room(pod_of("bilten-worker"), "worker") == f"{8 * (50 + 32) + 64}Mi"
    assert room(pod_of("bilten-worker", LARGE), "worker") == f"{8 * (200 + 32) + 64}Mi"
    assert room(pod_of("bilten-worker"), "clamd") == "5064Mi"


def test_the_scanner_takes_the_largest_file_that_may_be_uploaded():
    for config, stream in (
        ({}, 100),
        ({"maxDocumentBytes": 1}, 100),
        (LARGE, 200),
        ({"maxImageBytes": LIMIT + 1}, 201),
    ):
        lines = made("ConfigMap", "bilten-scanner", config)["data"]["clamd.conf"].splitlines()
        assert {f"StreamMaxLength {stream}M", f"MaxFileSize {stream}M", f"MaxScanSize {4 * stream}M"} <= set(lines)
        assert room(pod_of("bilten-worker", config), "clamd") == f"{10 * 5 * stream + 64}Mi"
        told = made("ConfigMap", "bilten-settings", config)["data"]
        assert told["BILTEN_CLAMD_MAX_BYTES"] == str(stream * 2**20)


@pytest.mark.parametrize("config", [{}, LARGE])
def test_the_service_starts_with_the_limits_that_it_is_given(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    for name, value in made("ConfigMap", "bilten-settings", config)["data"].items():
        monkeypatch.setenv(name, value)
    Settings(database_url="postgresql://u:p@h/db", secret_key=SECRET_KEY, token_keys=TOKEN_KEYS)


def test_what_unpacks_strangers_files_shares_no_folder_of_files_with_the_worker():
    pod = pod_of("bilten-worker")
    folders = {
        each["name"]: {mount["name"] for mount in each["volumeMounts"] if not mount.get("readOnly")}
        for each in pod["containers"]
    }
    assert folders["worker"] & folders["clamd"] == {"clamd-socket"}


def test_a_pod_on_a_large_node_looks_at_no_more_files_at_once_than_it_has_memory_for():
    assert made("ConfigMap", "bilten-settings")["data"]["BILTEN_INSPECTION_PROCESSES"] == "2"
    more = made("ConfigMap", "bilten-settings", {"inspectionProcesses": 6})["data"]
    assert more["BILTEN_INSPECTION_PROCESSES"] == "6"
