"""Is what exists what was wanted?

Each object carries what it was last rendered as. So three questions have answers without asking anybody: does it lag
behind the spec (it was rendered as something else), did somebody change it (it no longer holds what it was rendered
as), and what does it run now (what it was rendered as, while a newer rendering still has to wait).
"""

import base64
import hashlib
import json
import zlib
from typing import Any

from bilten_operator.plan.model import Ref
from bilten_operator.resources.instance import Manifest
from bilten_operator.resources.quantity import quantity

#: What the object was rendered as: JSON, compressed. Of Secrets it is the metadata only.
RENDER = "bilten.io/render"
#: Hash of what the rendering followed from: the spec and the content of Secrets, nothing of the operator's own.
INPUTS = "bilten.io/inputs"
#: Larger than any object can be: the API server takes no more than 3 MiB.
_LARGEST_RECORD = 3 * 2**20

#: Lists that Kubernetes merges by a key, so that others may have added items of their own.
_KEYED = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "topologySpreadConstraints": "topologyKey",
    "ownerReferences": "uid",
}


def digest(content: Any) -> str:
    """A short name for this content; says nothing of it."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def stamped(manifest: Manifest, inputs: str) -> Manifest:
    """The manifest as it is written: with what it was rendered as, and from what."""
    packed = base64.b64encode(zlib.compress(json.dumps(manifest, sort_keys=True).encode())).decode()
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), RENDER: packed, INPUTS: inputs}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def rendered(observed: Manifest) -> Manifest | None:
    """What the object was last rendered as; None when the operator never applied it, or its record is spoilt.

    Whoever may edit the object may rewrite the record. One of another object would be written with the operator's
    rights, in any namespace; one that unpacks to gigabytes would end the operator for all instances.
    """
    packed = observed["metadata"].get("annotations", {}).get(RENDER)
    if packed is None:
        return None
    try:
        manifest = json.loads(zlib.decompressobj().decompress(base64.b64decode(packed), _LARGEST_RECORD))
        return manifest if Ref.of(manifest) == Ref.of(observed) else None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, zlib.error):
        return None


def inputs_of(observed: Manifest) -> str | None:
    """From what the object was last rendered."""
    inputs: str | None = observed["metadata"].get("annotations", {}).get(INPUTS)
    return inputs


def holds(observed: Any, wanted: Any, field: str = "") -> bool:
    """Whether everything that is wanted is there. What is there besides is not looked at."""
    if isinstance(wanted, dict):
        if not isinstance(observed, dict):
            return not wanted and observed is None
        return all(holds(observed.get(key), value, key) for key, value in wanted.items())
    if isinstance(wanted, list):
        return _holds_list(observed or [], wanted, field)
    if observed is None:
        # Kubernetes does not store what is empty.
        return wanted in ("", 0, False, None)
    return bool(observed == wanted) or _same_quantity(observed, wanted)


def _holds_list(observed: Any, wanted: list[Any], field: str) -> bool:
    key = _KEYED.get(field)
    if field == "ports" and wanted and isinstance(wanted[0], dict):
        # Of containers and Services; those of policies are one value, to which nobody may add.
        key = next((name for name in ("containerPort", "targetPort") if name in wanted[0]), None)
    if not isinstance(observed, list):
        return False
    if key is None or not all(isinstance(item, dict) and key in item for item in (*observed, *wanted)):
        return len(observed) == len(wanted) and all(map(holds, observed, wanted))
    there = {item[key]: item for item in observed}
    return all(item[key] in there and holds(there[item[key]], item) for item in wanted)


def _same_quantity(one: Any, other: Any) -> bool:
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    first = quantity(one)
    return first is not None and first == quantity(other)


def larger(one: str, other: str) -> bool:
    """Whether the first quantity is larger than the second; False where either cannot be read."""
    first, second = quantity(one), quantity(other)
    return first is not None and second is not None and first > second
