"""The API server refuses what cannot work, in a sentence that names the field, and takes what is near it."""

from typing import Any, NamedTuple

import pytest
from bilten_operator.api.spec import effective
from bilten_operator.generate.crd import instance_schema
from support.instances import DIGEST, EXTERNAL, STORE, instance, production
from support.kube import Kube

INGRESS = {"mode": "Ingress", "host": "api.example.com"}
TLS = {**INGRESS, "tls": {"secretName": "tls"}}


class Case(NamedTuple):
    """What is wrong, and how the API server says so."""

    body: dict[str, Any]
    field: str
    says: str


def config(**fields: Any) -> dict[str, Any]:
    return instance(config=fields)


def managed_database(**fields: Any) -> dict[str, Any]:
    return instance(database={"mode": "Managed", "managed": fields})


def public(endpoint: str, exposure: dict[str, Any] | None = None, **storage: Any) -> dict[str, Any]:
    return instance(exposure=exposure, objectStorage={"mode": "Managed", "publicEndpoint": endpoint, **storage})


def purging(**fields: Any) -> dict[str, Any]:
    cdn = {"url": "https://cdn.example.com", "purge": {"by": "Keys", **fields}}
    return instance(objectStorage={"mode": "Managed", "cdn": cdn})


def backup_at(endpoint: str, **storage: Any) -> dict[str, Any]:
    return production(
        objectStorage={"mode": "Managed", **storage}, exposure=TLS,
        backup={"objectStorage": {**STORE, "endpoint": endpoint}},
    )  # fmt: skip


REFUSED = {
    "no environment": Case(instance(environment=None), "spec.environment", "Required value"),
    "an unknown environment": Case(instance(environment="test"), "spec.environment", "Unsupported value"),
    "no image": Case(instance(image=None), "spec.image", "Required value"),
    "an image with a space": Case(instance(image="bilten 1"), "spec.image", "must be the name of an image"),
    "a tag in staging": Case(instance(environment="staging"), "spec.image", "append @sha256: and the digest"),
    "a tag in production": Case(production(image="bilten:1"), "spec.image", "append @sha256: and the digest"),
    "half a digest": Case(production(image=DIGEST[:-1]), "spec.image", "append @sha256: and the digest"),
    "a debugger in production": Case(production(debugpy=True), "spec.debugpy", "for development only"),
    "sample accounts in production": Case(production(config={"seed": True}), "spec.config.seed", "known passwords"),
    "mails shown in production": Case(
        production(config={"devPages": True}), "spec.config.devPages", "everyone's mails"
    ),
    "a long name": Case(instance("b" * 31), "metadata.name", "at most 30"),
    "a name that no Service can have": Case(instance("1bilten"), "metadata.name", "beginning with a letter"),
    "pods counted twice": Case(
        instance(api={"replicas": 1, "autoscaling": {"minReplicas": 1, "maxReplicas": 2}}),
        "spec.api.replicas", "cannot be combined with spec.api.autoscaling",
    ),
    "fewest above most": Case(
        instance(api={"autoscaling": {"minReplicas": 3, "maxReplicas": 2}}),
        "spec.api.autoscaling.minReplicas", "lower it, or raise the maximum",
    ),
    "autoscaling without a measure": Case(
        instance(api={"autoscaling": {"minReplicas": 1, "maxReplicas": 2}, "resources": {"limits": {"memory": "1Gi"}}}),
        "spec.api.resources.requests.cpu", "is required with spec.api.autoscaling",
    ),
    "fewer than no pods": Case(instance(api={"replicas": -1}), "spec.api.replicas", "greater than or equal to 0"),
    "memory that is no quantity": Case(
        instance(worker={"resources": {"limits": {"memory": "much"}}}),
        "spec.worker.resources.limits.memory", "like 250m or 2 for CPU",
    ),
    "no CPU": Case(
        instance(worker={"resources": {"requests": {"cpu": 0}}}),
        "spec.worker.resources.requests.cpu", "greater than zero",
    ),
    "CPU requested above its limit": Case(
        instance(api={"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "1500m"}}}),
        "spec.api.resources.requests.cpu", "must not be greater than spec.api.resources.limits.cpu",
    ),
    "memory requested above its limit": Case(
        instance(api={"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}}),
        "spec.api.resources.requests.memory", "must not be greater than spec.api.resources.limits.memory",
    ),
    "an Ingress without a host": Case(instance(exposure={"mode": "Ingress"}), "spec.exposure.host", "is required"),
    "a host without a way in": Case(
        instance(exposure={"host": "api.example.com", "mode": "None"}), "spec.exposure.host", "has no effect"
    ),
    "a host with a scheme": Case(
        instance(exposure={"mode": "Ingress", "host": "https://api.example.com"}), "spec.exposure.host", "no scheme"
    ),
    "a Gateway that is not named": Case(
        instance(exposure={**INGRESS, "mode": "Gateway"}), "spec.exposure.gateway", "name the Gateway"
    ),
    "a Gateway beside an Ingress": Case(
        instance(exposure={**INGRESS, "gateway": {"name": "web"}}),
        "spec.exposure.gateway", "remove it, or set the mode to Gateway",
    ),
    "a class of a Gateway": Case(
        instance(exposure={**INGRESS, "mode": "Gateway", "gateway": {"name": "web"}, "className": "traefik"}),
        "spec.exposure.className", "remove it, or set the mode to Ingress",
    ),
    "a certificate at a Gateway": Case(
        instance(exposure={**TLS, "mode": "Gateway", "gateway": {"name": "web"}}),
        "spec.exposure.tls", "remove it, or set the mode to Ingress",
    ),
    "an upload size at a Gateway": Case(
        instance(exposure={**INGRESS, "mode": "Gateway", "gateway": {"name": "web"}, "maxUploadSize": "1Mi"}),
        "spec.exposure.maxUploadSize", "remove it, or set the mode to Ingress",
    ),
    "an upload size that is none": Case(
        instance(exposure={**INGRESS, "maxUploadSize": "big"}), "spec.exposure.maxUploadSize", "like 500Mi"
    ),
    "a class that no object can have": Case(
        instance(exposure={**INGRESS, "className": "My Class"}),
        "spec.exposure.className", "name of a Kubernetes object",
    ),
    "no database": Case(instance(database=None), "spec.database", "Required value"),
    "an external database that is not named": Case(
        instance(database={"mode": "External"}), "spec.database.external", "name the Secret"
    ),
    "an external database without its Secret": Case(
        instance(database={"mode": "External", "external": {}}), "spec.database.external.secretRef", "Required value"
    ),
    "an external database beside a managed one": Case(
        instance(database={"mode": "Managed", "external": {"secretRef": {"name": "database"}}}),
        "spec.database.external", "set the mode to External",
    ),
    "a managed database beside an external one": Case(
        instance(database={"mode": "External", "external": {"secretRef": {"name": "database"}}, "managed": {}}),
        "spec.database.managed", "set the mode to Managed",
    ),
    "a volume without a size": Case(
        managed_database(storage={"size": "0"}), "spec.database.managed.storage.size", "greater than zero"
    ),
    "a parameter that Postgres cannot have": Case(
        managed_database(parameters={"work-mem": "1MB"}), "spec.database.managed.parameters", "like work_mem"
    ),
    "an object store that is not named": Case(
        instance(objectStorage={"mode": "External"}), "spec.objectStorage.external", "name the server"
    ),
    "an object store without its Secret": Case(
        instance(objectStorage={"mode": "External", "external": {"endpoint": "https://s3.example.com"}}),
        "spec.objectStorage.external.secretRef", "Required value",
    ),
    "an external object store beside a managed one": Case(
        instance(objectStorage={**EXTERNAL, "mode": "Managed"}),
        "spec.objectStorage.external", "set the mode to External",
    ),
    "a managed object store beside an external one": Case(
        instance(objectStorage={**EXTERNAL, "managed": {}}), "spec.objectStorage.managed", "set the mode to Managed"
    ),
    "a region that is none": Case(
        instance(objectStorage={"mode": "External", "external": {**STORE, "region": "eu central"}}),
        "spec.objectStorage.external.region", "like us-east-1",
    ),
    "an endpoint with a path": Case(
        instance(objectStorage={"mode": "External", "external": {**STORE, "endpoint": "https://s3.example.com/x"}}),
        "spec.objectStorage.external.endpoint", "without user, path or query",
    ),
    "an endpoint with a password": Case(
        instance(objectStorage={"mode": "External", "external": {**STORE, "endpoint": "https://a:b@s3.example.com"}}),
        "spec.objectStorage.external.endpoint", "without user, path or query",
    ),
    "an endpoint without a scheme": Case(
        instance(objectStorage={"mode": "External", "external": {**STORE, "endpoint": "s3.example.com"}}),
        "spec.objectStorage.external.endpoint", "like https://s3.example.com",
    ),
    **{
        f"the endpoint {endpoint}": Case(
            instance(objectStorage={"mode": "External", "external": {**STORE, "endpoint": endpoint}}),
            "spec.objectStorage.external.endpoint", "like https://s3.example.com",
        )
        for endpoint in (
            "https://s3.example.com:65536", "https://s3.example.com:0", "http://s3:-1", "http://[foo]:9000", "http://[1:2]",
            "http://[fe80::1%25eth0]", "http://a\u2100b.example.com", "http://a b",
            "http://*.example.com", "HTTP://bilten-objects.shop.svc:9000",
        )
    },
    **{
        f"the mirror {mirror}": Case(instance(scanner={"mirror": mirror}), "spec.scanner.mirror", "like https://www")
        for mirror in ("http://clamav.example.com:99999/a", "http://[foo]", "http://:80")
    },
    **{
        f"files exposed under {host}": Case(
            public(f"http://{host}", INGRESS), "spec.objectStorage.publicEndpoint", "a name in lower case"
        )
        for host in ("Files.example.com", "files", "192.0.2.1", "[::1]:80", "files.example.com.")
    },
    "a deadline after the end of time": Case(
        instance(migrations={"deadline": "9999999h"}), "spec.migrations.deadline", "like 90s, 15m or 2h"
    ),
    "a CDN of another protocol": Case(
        instance(objectStorage={"mode": "Managed", "cdn": {"url": "ftp://cdn.example.com"}}),
        "spec.objectStorage.cdn.url", "like https://www.example.com",
    ),
    "a cache at an address with a query": Case(
        purging(nodes=["https://cache.example.com", "https://cache.example.com/?a=b"]),
        "spec.objectStorage.cdn.purge.nodes", "like https://cache-1.example.com",
    ),
    "surrogate keys in what is no header": Case(
        purging(header="Surrogate Key"), "spec.objectStorage.cdn.purge.header", "must be the name of a header",
    ),
    "a public endpoint that nothing exposes": Case(
        public("https://files.example.com"),
        "spec.objectStorage.publicEndpoint", "set exposure.mode to Ingress or Gateway",
    ),
    "files on the host of the API": Case(
        public("https://api.example.com", TLS), "spec.objectStorage.publicEndpoint", "must have another host than"
    ),
    "a public endpoint whose scheme is not served": Case(
        public("https://files.example.com", INGRESS), "spec.objectStorage.publicEndpoint", "else with http://"
    ),
    "a public endpoint that leaves TLS unused": Case(
        public("http://files.example.com", TLS), "spec.objectStorage.publicEndpoint", "must begin with https://"
    ),
    "an external scanner that is not named": Case(
        instance(scanner={"mode": "External"}), "spec.scanner.external", "name its host"
    ),
    "an external scanner beside a sidecar": Case(
        instance(scanner={"mode": "Sidecar", "external": {"host": "clamd"}}),
        "spec.scanner.external", "set the mode to External",
    ),
    "signatures for an external scanner": Case(
        instance(scanner={"mode": "External", "external": {"host": "clamd"}, "mirror": "https://clamav.example.com"}),
        "spec.scanner.mirror", "choose another mode",
    ),
    "an external scanner without a mode": Case(
        instance(scanner={"external": {"host": "clamd"}}), "spec.scanner.external", "set the mode to External"
    ),
    "a host without a mode": Case(
        instance(exposure={"host": "api.example.com"}), "spec.exposure.host", "set the mode to Ingress or Gateway"
    ),
    "a class without a mode": Case(
        instance(exposure={"className": "nginx"}), "spec.exposure.className", "set the mode to Ingress"
    ),
    "signatures from nowhere": Case(
        instance(scanner={"signatures": ["house.ndb"]}), "spec.scanner.signatures", "name the mirror"
    ),
    "signatures that are no file": Case(
        instance(scanner={"mirror": "https://clamav.example.com", "signatures": ["../house.ndb"]}),
        "spec.scanner.signatures", "like house.ndb",
    ),
    "a scanner with a port in its host": Case(
        instance(scanner={"mode": "External", "external": {"host": "clamd:3310"}}),
        "spec.scanner.external.host", "no scheme, port or path",
    ),
    "a deadline without a unit": Case(
        instance(migrations={"deadline": "15"}), "spec.migrations.deadline", "like 90s, 15m or 2h"
    ),
    "a backup of an external database": Case(
        instance(database={"mode": "External", "external": {"secretRef": {"name": "database"}}}, backup={}),
        "spec.backup", "whoever runs that database backs it up",
    ),
    "production without a store for backups": Case(
        production(objectStorage={"mode": "Managed"}), "spec.backup.objectStorage", "name a store elsewhere"
    ),
    "production backups on the instance's own store": Case(
        backup_at("http://bilten-objects.shop.svc:9000"), "spec.backup.objectStorage.endpoint", "name a store elsewhere"
    ),
    "production backups on it by its public name": Case(
        backup_at("https://files.example.com:8443", publicEndpoint="https://files.example.com/"),
        "spec.backup.objectStorage.endpoint", "name a store elsewhere",
    ),
    "a retention without a unit": Case(instance(backup={"retention": "30"}), "spec.backup.retention", "like 30d"),
    "a time zone that is none": Case(instance(backup={"timeZone": "+02:00"}), "spec.backup.timeZone", "like UTC"),
    "labels that are none": Case(
        instance(monitoring={"labels": {"release": "a b"}}), "spec.monitoring.labels", "must be labels"
    ),
    "an origin with a path": Case(
        config(corsOrigins=["https://www.example.com/"]), "spec.config.corsOrigins", "no path"
    ),
    "an origin twice": Case(
        config(corsOrigins=["https://a.example.com", "https://a.example.com"]), "spec.config.corsOrigins", "Duplicate"
    ),
    "a network that is none": Case(
        config(metricsNetworks=["10.0.0.0/99"]), "spec.config.metricsNetworks", "like 10.0.0.0/8"
    ),
    "a frontend that is none": Case(
        config(frontendUrl="www.example.com"), "spec.config.frontendUrl", "like https://www.example.com"
    ),
    "documents that the default spool has no room for": Case(
        config(maxDocumentBytes=2**30 - 2**20 + 1),
        "spec.config.spoolBytes", "no room for a file of spec.config.maxDocumentBytes",
    ),
    "a spool without room for a picture": Case(
        config(maxDocumentBytes=1, spoolBytes=11 * 2**20 - 1),
        "spec.config.spoolBytes", "no room for a file of spec.config.maxImageBytes",
    ),
    "no time at all": Case(config(workerPollSeconds=0), "spec.config.workerPollSeconds", "greater than 0"),
    "a setting of another type": Case(
        config(maxJsonBytes="1Mi"), "spec.config.maxJsonBytes", "must be of type integer"
    ),
}  # fmt: skip

ACCEPTED = {
    "nothing but what is required": instance(),
    "the same in production": production(),
    "no pods": instance(api={"replicas": 0}, worker={"replicas": 0}),
    "numbers as quantities": instance(
        api={"resources": {"requests": {"cpu": 1, "memory": 1000000}, "limits": {"cpu": "1"}}}
    ),
    "autoscaling with a CPU limit for a measure": instance(
        api={"autoscaling": {"minReplicas": 1, "maxReplicas": 1}, "resources": {"limits": {"cpu": "1"}}}
    ),
    "a managed store in production with backups elsewhere": backup_at("https://s3.example.com"),
    "backups on a store with a like name": backup_at("https://bilten-objects-elsewhere.example.com"),
    "backups on another instance's store": backup_at("http://shop-objects.shop.svc:9000"),
    "no backups needed of an external database": production(
        database={"mode": "External", "external": {"secretRef": {"name": "database"}}},
        objectStorage={"mode": "Managed"},
    ),
    "a debugger in development": instance(debugpy=True),
    "no debugger in production": production(debugpy=False, config={"seed": False}),
    "files on a host of their own": public("https://files.example.com", TLS),
    "files without TLS": public("http://files.example.com:8080", INGRESS),
    "files at a Gateway, whose listener decides about TLS": public(
        "https://files.example.com", {**INGRESS, "mode": "Gateway", "gateway": {"name": "web"}}
    ),
    **{
        f"the endpoint {endpoint}": instance(
            objectStorage={"mode": "External", "external": {**STORE, "endpoint": endpoint}}
        )
        for endpoint in (
            "http://s3", "https://s3.example.com:65535/", "http://192.0.2.1:9000", "http://[2001:db8::1]:9000", "http://my_s3"
        )
    },
    "a mirror in a folder": instance(scanner={"mirror": "https://mirror.example.com:8080/clamav/[new]/"}),
    "a parameter of an extension": managed_database(parameters={"auto_explain.log_min_duration": "1s"}),
    "labels with a prefix": instance(monitoring={"labels": {"prometheus.io/name": "main"}}),
    "null, which is as if left out": config(seed=None),
    "a mirror without a mode": instance(scanner={"mirror": "http://clamav.example.com", "signatures": ["house.ndb"]}),
    "no way in, and no mode": instance(exposure={}),
    "purges to the CDN itself": purging(),
    "a spool with room for one document": config(spoolBytes=51 * 2**20),
    "a network of IPv6": config(metricsNetworks=["fd00::/8"]),
}  # fmt: skip

#: What the API server adds when a shape is wrong: that it has not come to the rules.
NOT_CHECKED = "<nil>"

SCHEDULES = {
    "0 3 * * *": True,
    "*/15 0-6,22-23 1,15 JAN-mar mon-FRI/2": True,
    "59 23 31 12 6": True,
    "0 0 3 * * *": False,  # the six fields of CloudNativePG
    "0 3 * *": False,
    "@daily": False,
    "60 3 * * *": False,
    "0 24 * * *": False,
    "0 3 0 * *": False,
    "0 3 * 13 *": False,
    "0 3 * * 7": False,  # CloudNativePG knows Sunday as 0 only
    "0 3 * * sunday": False,
    "0/0 3 * * *": False,
    "": False,
}


def rules(schema: dict[str, Any]) -> set[tuple[str, str]]:
    """Each expression below, and what it says."""
    found = {(rule["rule"], rule["message"]) for rule in schema.get("x-kubernetes-validations", [])}
    for part in schema.get("properties", {}).values():
        found |= rules(part)
    return found


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
async def test_it_is_refused_in_a_sentence_that_names_the_field(kube: Kube, case: Case):
    answer = await kube.create(case.body, dryRun="All")
    assert answer.status == 422, answer.body
    (told,) = [f"{field}: {message}" for field, message in answer.causes if field != NOT_CHECKED]
    assert case.field in told
    assert case.says in told


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED)
async def test_it_is_taken_and_the_operator_can_read_it(kube: Kube, body: dict[str, Any]):
    answer = await kube.create(body, dryRun="All")
    assert answer.status == 201, answer.causes
    assert effective(answer.body["spec"]).environment == body["spec"]["environment"]


@pytest.mark.parametrize(("schedule", "taken"), SCHEDULES.items(), ids=repr)
async def test_a_schedule_has_the_five_fields_of_cron(kube: Kube, schedule: str, taken: bool):
    answer = await kube.create(instance(backup={"schedule": schedule}), dryRun="All")
    assert answer.status == (201 if taken else 422), answer.causes
    assert taken or "spec.backup.schedule must have the five fields of cron" in answer.causes[0][1]


def test_every_rule_that_needs_no_earlier_version_is_provoked():
    provoked = [*(case.says for case in REFUSED.values()), "five fields of cron"]
    timeless = {(expression, says) for expression, says in rules(instance_schema()) if "oldSelf" not in expression}
    checked = {expression for expression, says in timeless if any(part in says for part in provoked)}
    assert {says for expression, says in timeless if expression not in checked} == set()
