"""Kubernetes Events about an instance: one object each, however often its writing is tried."""

import hashlib
import json
from datetime import datetime
from typing import Any

from bilten_operator.cluster.client import FIELD_MANAGER
from bilten_operator.plan import telling
from bilten_operator.plan.model import Event

Object = dict[str, Any]


def event_manifest(instance: Object, event: Event, now: datetime) -> Object:
    """The object to create once.

    Its name follows from what it tells and from the state before, so that an operator which was killed before it wrote
    the new state tells the same again under the same name.
    """
    metadata = instance["metadata"]
    conditions = (instance.get("status") or {}).get("conditions", [])
    since = sorted((told["type"], told["status"], told["lastTransitionTime"]) for told in conditions)
    told = [metadata["uid"], metadata.get("generation"), event.type, event.reason, event.message, since]
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
    at = telling.time(now)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name'][:230]}.{digest}", "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": instance["apiVersion"],
            "kind": instance["kind"],
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:1024],
        "count": 1,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": "bilten.io/operator",
        "reportingInstance": FIELD_MANAGER,
    }
