"""What the operator knows of its children without asking: each newest version, by the instance that it belongs to.

Objects are kept compressed: a thousand instances have some thirty thousand children, which as Python objects take ten
times the room. What an own write answered goes in at once, so that a plan always sees what the plan before it did,
however late the watch is.

Not Kopf's index: of an object that was deleted while its watch was broken, Kopf 1.45.2 never hears, and keeps it.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from bilten_operator.cluster.kinds import Kind
from bilten_operator.plan.model import Ref
from bilten_operator.resources.instance import INSTANCE

Object = dict[str, Any]


class Key(NamedTuple):
    """Names an instance."""

    namespace: str
    name: str


class Entry(NamedTuple):
    """One version of one object."""

    version: int
    key: Key
    content: bytes


class Cache:
    """Children of all instances. `changed` is called with the instance of each that is new to it."""

    def __init__(self, changed: Callable[[Key], None]) -> None:
        self._changed = changed
        self._entries: dict[Ref, Entry] = {}
        self._children: defaultdict[Key, set[Ref]] = defaultdict(set)

    def put(self, item: Object) -> None:
        """This version is there, unless a newer one is known."""
        ref, key, version = Ref.of(item), owner(item), _version(item)
        known = self._entries.get(ref)
        if known and known.version >= version:
            return
        if known and known.key != key:
            self._forget(ref)
            self._changed(known.key)
        if not key:
            return  # its label was taken away by an own write, and so it is no longer watched
        self._entries[ref] = Entry(version, key, _packed(item))
        self._children[key].add(ref)
        self._changed(key)

    def remove(self, item: Object) -> None:
        """It is gone, as of this version."""
        known = self._entries.get(Ref.of(item))
        if known and known.version <= _version(item):
            self._forget(Ref.of(item))
            self._changed(known.key)

    def replace(self, kind: Kind, namespace: str | None, items: Iterable[Object], version: str) -> None:
        """These are all there are, as of `version`. What is not among them was deleted unseen."""
        listed = set()
        for item in items:
            # A list leaves out of each what it says of all.
            whole = {"apiVersion": kind.api_version, "kind": kind.kind, **item}
            listed.add(Ref.of(whole))
            self.put(whole)
        for ref, known in list(self._entries.items()):
            if (
                (ref.api_version, ref.kind) == (kind.api_version, kind.kind)
                and namespace in {None, ref.namespace}
                and ref not in listed
                and known.version <= int(version)
            ):
                self._forget(ref)
                self._changed(known.key)

    def objects(self, key: Key) -> dict[Ref, Object]:
        """Children of one instance."""
        return {ref: json.loads(zlib.decompress(self._entries[ref].content)) for ref in self._children.get(key, ())}

    def keys(self) -> set[Key]:
        """Instances that have children, those that are gone included."""
        return {key for key, children in self._children.items() if children}

    def _forget(self, ref: Ref) -> None:
        entry = self._entries.pop(ref)
        self._children[entry.key].discard(ref)
        if not self._children[entry.key]:
            del self._children[entry.key]


def owner(item: Object) -> Key | None:
    """The instance that a child belongs to, by its label."""
    metadata = item["metadata"]
    name = (metadata.get("labels") or {}).get(INSTANCE)
    return Key(metadata["namespace"], name) if name and metadata.get("namespace") else None


def _packed(item: Object) -> bytes:
    # Who set which field is half of an object, and no plan asks for it.
    metadata = {name: value for name, value in item["metadata"].items() if name != "managedFields"}
    return zlib.compress(json.dumps({**item, "metadata": metadata}, separators=(",", ":")).encode(), 1)


def _version(item: Object) -> int:
    # Ordered within a kind; since Kubernetes 1.35 by its documentation, before that by etcd.
    return int(item["metadata"]["resourceVersion"])
