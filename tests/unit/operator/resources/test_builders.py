"""Details of what is made that the samples do not show."""

import dataclasses
from typing import Any

import pytest
from support.world import EVERYTHING, World, pods, samples

SAMPLES = samples()
DEVELOPMENT = SAMPLES["development"]


def made(spec: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    found = World(spec).provide().converge().find(kind, name)
    assert found
    return found


def outward(spec: dict[str, Any], component: str) -> list[list[int]]:
    rules = made(spec, "NetworkPolicy", f"bilten-{component}")["spec"]["egress"]
    return [[port["port"] for port in rule["ports"]] for rule in rules]


def test_secrets_for_pulling_images_reach_every_pod_and_the_database():
    world = World(EVERYTHING)
    world.operator = dataclasses.replace(world.operator, image_pull_secrets=("registry",))
    world.provide().converge()
    named = [{"name": "registry"}]
    ours = [found for found in world.objects.values() if "spec" in found]
    assert all(pod["imagePullSecrets"] == named for pod in pods(ours).values())
    cluster = world.find("Cluster", "bilten-db")
    assert cluster
    assert cluster["spec"]["imagePullSecrets"] == named


@pytest.mark.parametrize(
    ("size", "nginx"),
    [
        ("10Mi", "10m"),
        ("1Gi", "1g"),
        ("512k", "512k"),
        ("1048576", "1048576"),
        ("2M", "2m"),
        ("1.5Gi", "1610612736"),
        ("1Ti", "1099511627776"),
        ("1e7", "10000000"),
        ("100m", "1"),  # a tenth of a byte, and not nginx's 100 MiB
    ],
)
def test_the_upload_size_is_told_to_nginx_in_its_own_units(size: str, nginx: str):
    exposure = {"mode": "Ingress", "host": "api.example.com", "maxUploadSize": size}
    ingress = made({**DEVELOPMENT, "exposure": exposure}, "Ingress", "bilten")
    assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"] == nginx


def test_an_ingress_has_its_class_and_serves_https_with_the_named_certificate():
    exposure = {
        "mode": "Ingress", "host": "api.example.com", "className": "traefik", "tls": {"secretName": "tls"},
    }  # fmt: skip
    store = {"mode": "Managed", "publicEndpoint": "https://files.example.com"}
    spec = {**DEVELOPMENT, "exposure": exposure, "objectStorage": store}
    for name, host in (("bilten", "api.example.com"), ("bilten-objects", "files.example.com")):
        wanted = made(spec, "Ingress", name)["spec"]
        assert wanted["ingressClassName"] == "traefik"
        assert wanted["tls"] == [{"hosts": [host], "secretName": "tls"}]
        assert wanted["rules"][0]["host"] == host


def test_a_route_attaches_to_the_named_listener_of_a_gateway_elsewhere():
    parent = made(SAMPLES["external"], "HTTPRoute", "bilten")["spec"]["parentRefs"][0]
    assert (parent["namespace"], parent["name"], parent["sectionName"]) == ("gateways", "web", "https")


def test_the_store_has_the_class_that_is_asked_for():
    spec = {**DEVELOPMENT, "objectStorage": {"mode": "Managed", "managed": {"className": "fast"}}}
    store = made(spec, "StatefulSet", "bilten-objects")
    assert store["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "fast"


def test_pods_reach_an_external_database_on_the_port_of_its_address():
    assert [6432] in outward(SAMPLES["external"], "api")
    assert [6432] in outward(SAMPLES["external"], "migration")


def test_a_scanner_elsewhere_and_a_mirror_are_reached_on_their_ports():
    assert [3310] in outward(SAMPLES["external"], "worker")
    assert [8080] in outward(EVERYTHING, "scanner")
    assert [443] in outward(DEVELOPMENT, "worker")


def test_a_store_that_is_not_exposed_is_reached_by_its_users_and_the_operator_only():
    policy = made({**DEVELOPMENT, "objectStorage": {"mode": "Managed"}}, "NetworkPolicy", "bilten-objects")
    [inward] = policy["spec"]["ingress"]
    namespaces = [peer["namespaceSelector"]["matchLabels"] for peer in inward["from"] if "namespaceSelector" in peer]
    assert namespaces == [{"kubernetes.io/metadata.name": "bilten-system"}]
    assert len(inward["from"]) == 4


def test_a_worker_is_reached_on_the_port_that_tells_of_it_and_on_no_other():
    # By Prometheus and by the operator, wherever these are.
    policy = made(DEVELOPMENT, "NetworkPolicy", "bilten-worker")
    assert policy["spec"]["ingress"] == [{"ports": [{"port": 3002, "protocol": "TCP"}]}]


def test_a_shared_scanner_asks_its_own_mirror_and_listens_for_the_workers():
    text = made(EVERYTHING, "ConfigMap", "bilten-scanner")["data"]
    assert "PrivateMirror http://mirror.example.com:8080\n" in text["freshclam.conf"]
    assert "TCPSocket 3310\n" in text["clamd.conf"]
    settings = made(EVERYTHING, "ConfigMap", "bilten-settings")["data"]
    assert (settings["BILTEN_CLAMD_HOST"], settings["BILTEN_CLAMD_PORT"]) == ("bilten-scanner", "3310")


def test_a_mirror_may_have_signatures_of_its_own_beside_some_of_clamavs():
    mirror = {"mirror": "http://mirror.example.com/clamav/", "signatures": ["daily", "house.ndb"]}
    lines = made({**DEVELOPMENT, "scanner": mirror}, "ConfigMap", "bilten-scanner")["data"]["freshclam.conf"].split(
        "\n"
    )
    assert "DatabaseCustomURL http://mirror.example.com/clamav/house.ndb" in lines
    assert [line for line in lines if line.startswith("Exclude")] == [
        "ExcludeDatabase main",
        "ExcludeDatabase bytecode",
    ]


def test_two_instances_of_postgres_wait_for_each_other_if_they_can():
    synchronous = made(EVERYTHING, "Cluster", "bilten-db")["spec"]["postgresql"]["synchronous"]
    assert synchronous == {"method": "any", "number": 1, "dataDurability": "preferred"}
    assert "synchronous" not in made(DEVELOPMENT, "Cluster", "bilten-db")["spec"]["postgresql"]


def test_backups_are_made_through_the_plugin_in_utc():
    scheduled = made(EVERYTHING, "ScheduledBackup", "bilten-db")["spec"]
    assert scheduled["method"] == "plugin"
    # Half past one on weekdays in India is eight in the evening before.
    assert scheduled["schedule"] == "0 0 20 * * 0,1,2,3,4"
    assert scheduled["immediate"]


def test_purges_go_from_the_worker_to_each_cache_with_the_token_of_the_named_secret():
    assert [8443] in outward(SAMPLES["production"], "worker")
    assert [8443] not in outward(SAMPLES["production"], "api")
    settings = made(SAMPLES["production"], "ConfigMap", "bilten-settings")["data"]
    assert settings["BILTEN_CDN_PURGE"] == "keys"
    assert settings["BILTEN_CDN_PURGE_URLS"] == "https://cache-1.example.com:8443,https://cache-2.example.com:8443"
    cdn = {"url": "https://cdn.example.com", "purge": {"by": "Urls", "header": "X-Key"}}
    spec = {**DEVELOPMENT, "objectStorage": {"mode": "Managed", "cdn": cdn}}
    settings = made(spec, "ConfigMap", "bilten-settings")["data"]
    assert settings["BILTEN_CDN_KEY_HEADER"] == "X-Key"
    assert "BILTEN_CDN_PURGE_URLS" not in settings
    assert [443] in outward(spec, "worker")
    pod = made(SAMPLES["production"], "Deployment", "bilten-worker")["spec"]["template"]["spec"]["containers"][0]
    token = next(found for found in pod["env"] if found["name"] == "BILTEN_CDN_PURGE_TOKEN")
    assert token["valueFrom"]["secretKeyRef"] == {"name": "bilten-cdn", "key": "token"}


def test_a_clamd_of_ours_does_not_call_ok_what_it_did_not_look_into():
    lines = made(DEVELOPMENT, "ConfigMap", "bilten-scanner")["data"]["clamd.conf"].splitlines()
    assert {"AlertExceedsMax yes", "AlertEncrypted yes"} <= set(lines)
