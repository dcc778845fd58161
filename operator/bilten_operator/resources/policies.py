"""NetworkPolicies: for each component, who reaches it and whom it reaches. What is not said is denied.

Namespaces are chosen by the label that Kubernetes itself puts on them. Addresses outside the cluster have no names
here, so they are chosen by port.
"""

from bilten_operator.resources import api, backup, database, exposure, migration, object_store, scanner, worker
from bilten_operator.resources.instance import Instance, Manifest
from bilten_operator.resources.operator_config import OperatorConfig
from bilten_operator.resources.settings import (
    API_PORT,
    CLAMD_PORT,
    STORE_PORT,
    WORKER_PORT,
    port_of,
    purge_addresses,
    store_endpoint,
)

POSTGRES_PORT = 5432
_CNPG_STATUS_PORT = 8000
_CNPG_METRICS_PORT = 9187
_POOLER_METRICS_PORT = 9127
#: What API servers listen on, as a pod's packet shows it after the Service's address was resolved.
_API_SERVER_PORTS = (443, 6443)

Rule = Manifest


def build(instance: Instance, operator: OperatorConfig, *, database_port: int = POSTGRES_PORT) -> list[Manifest]:
    """One policy per component that is there. `database_port` is that of an external database."""
    if not instance.spec.network_policy.enabled:
        return []
    return [
        _api(instance, database_port),
        _worker(instance, database_port),
        _policy(instance, migration.COMPONENT, inward=[], outward=[_dns(), _to_database(instance, database_port)]),
        *_database(instance, operator),
        *_store(instance, operator),
        *_scanner(instance),
    ]


def _api(instance: Instance, database_port: int) -> Manifest:
    ports = [API_PORT, *([api.DEBUG_PORT] if instance.spec.debugpy else [])]
    outward = [_dns(), _to_database(instance, database_port), _to_store(instance)]
    # Whoever does the routing may be anywhere, on the nodes' own network, too.
    return _policy(instance, api.COMPONENT, inward=[_rule(ports=ports)], outward=outward)


def _worker(instance: Instance, database_port: int) -> Manifest:
    outward = [_dns(), _to_database(instance, database_port), _to_store(instance)]
    if purges := sorted({port_of(address) for address in purge_addresses(instance)}):
        outward.append(_rule(ports=purges))
    wanted = instance.spec.scanner
    if wanted.mode == "Shared":
        outward.append(_rule(to=[_pods(instance, scanner.COMPONENT)], ports=[CLAMD_PORT]))
    elif wanted.external:
        outward.append(_rule(ports=[wanted.external.port]))
    else:
        outward.append(_to_mirror(instance))
    return _policy(instance, worker.COMPONENT, inward=[_rule(ports=[WORKER_PORT])], outward=outward)


def _database(instance: Instance, operator: OperatorConfig) -> list[Manifest]:
    managed = instance.spec.database.managed
    if managed is None:
        return []
    own = {"podSelector": {"matchLabels": {"cnpg.io/cluster": instance.database}}}
    cnpg = _namespace(operator.cnpg_namespace)
    users = [_pods(instance, component) for component in (api.COMPONENT, worker.COMPONENT, migration.COMPONENT)]
    api_server = _rule(ports=list(_API_SERVER_PORTS))
    backups = [_rule(ports=[port_of(backup.endpoint(instance))])] if instance.spec.backup else []
    made = [
        _policy(
            instance,
            database.COMPONENT,
            pods=own["podSelector"],
            inward=[
                _rule(of=[*users, _poolers(instance), own], ports=[POSTGRES_PORT]),
                _rule(of=[cnpg, own], ports=[_CNPG_STATUS_PORT]),
                _rule(ports=[_CNPG_METRICS_PORT]),
            ],
            outward=[_dns(), _rule(to=[own], ports=[POSTGRES_PORT, _CNPG_STATUS_PORT]), api_server, *backups],
        )
    ]
    if managed.pooler:
        made.append(
            _policy(
                instance,
                "pooler",
                pods=_poolers(instance)["podSelector"],
                inward=[_rule(of=users, ports=[POSTGRES_PORT]), _rule(ports=[_POOLER_METRICS_PORT])],
                outward=[_dns(), _rule(to=[own], ports=[POSTGRES_PORT]), api_server],
            )
        )
    return made


def _store(instance: Instance, operator: OperatorConfig) -> list[Manifest]:
    if instance.spec.object_storage.managed is None:
        return []
    if exposure.exposes_store(instance):
        inward = [_rule(ports=[STORE_PORT])]
    else:
        users = [_pods(instance, component) for component in (api.COMPONENT, worker.COMPONENT)]
        backups = {"podSelector": {"matchLabels": {"cnpg.io/cluster": instance.database}}}
        inward = [_rule(of=[*users, backups, _namespace(operator.namespace)], ports=[STORE_PORT])]
    return [_policy(instance, object_store.COMPONENT, inward=inward, outward=[_dns()])]


def _scanner(instance: Instance) -> list[Manifest]:
    if instance.spec.scanner.mode != "Shared":
        return []
    inward = [_rule(of=[_pods(instance, worker.COMPONENT)], ports=[CLAMD_PORT])]
    return [_policy(instance, scanner.COMPONENT, inward=inward, outward=[_dns(), _to_mirror(instance)])]


def _policy(
    instance: Instance, component: str, *, inward: list[Rule], outward: list[Rule], pods: Manifest | None = None
) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        # Those of the data stay with the data.
        "metadata": instance.metadata(
            f"{instance.name}-{component}",
            component,
            data=component in {database.COMPONENT, object_store.COMPONENT},
        ),
        "spec": {
            "podSelector": pods or {"matchLabels": instance.selector(component)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": inward,
            "egress": outward,
        },
    }


def _rule(*, of: list[Manifest] | None = None, to: list[Manifest] | None = None, ports: list[int]) -> Rule:
    rule: Rule = {"ports": [{"port": port, "protocol": "TCP"} for port in ports]}
    if of:
        rule["from"] = of
    if to:
        rule["to"] = to
    return rule


def _dns() -> Rule:
    """Names are asked of whoever answers: some clusters run their DNS on the nodes, not in pods."""
    return {"ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]}


def _pods(instance: Instance, component: str) -> Manifest:
    return {"podSelector": {"matchLabels": instance.selector(component)}}


def _poolers(instance: Instance) -> Manifest:
    return {"podSelector": {"matchLabels": {"cnpg.io/poolerName": instance.pooler}}}


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _to_database(instance: Instance, port: int) -> Rule:
    managed = instance.spec.database.managed
    if managed is None:
        return _rule(ports=[port])
    to = [{"podSelector": {"matchLabels": {"cnpg.io/cluster": instance.database}}}]
    if managed.pooler:
        to.append(_poolers(instance))
    return _rule(to=to, ports=[POSTGRES_PORT])


def _to_store(instance: Instance) -> Rule:
    if instance.spec.object_storage.managed:
        return _rule(to=[_pods(instance, object_store.COMPONENT)], ports=[STORE_PORT])
    return _rule(ports=[port_of(store_endpoint(instance))])


def _to_mirror(instance: Instance) -> Rule:
    return _rule(ports=[scanner.mirror_port(instance)])
