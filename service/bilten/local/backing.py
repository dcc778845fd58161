"""What the API stands on: the embedded Postgres and object store, or those that the environment names; and a clamd,
where there is one."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import minio

from bilten.local import clamd
from bilten.local.clamd import Clamd
from bilten.local.family import Family
from bilten.local.home import Home, Ports
from bilten.local.logfile import last_line
from bilten.local.objectstore import ObjectStore, S3Address
from bilten.local.postgres import Postgres
from bilten.local.problem import LocalError

#: The buckets of the embedded store, by the variables that name them; as in the settings, which take long to import.
BUCKETS = {
    "BILTEN_S3_QUARANTINE_BUCKET": "bilten-dev-quarantine",
    "BILTEN_S3_MEDIA_BUCKET": "bilten-dev-media",
}

#: An embedded server that ended unasked is started again after a second, twice as long each time, at most this long.
_LONGEST_PAUSE_S = 30

_S3_VARIABLES = ("BILTEN_S3_ENDPOINT", "BILTEN_S3_ACCESS_KEY", "BILTEN_S3_SECRET_KEY")


class Server(Protocol):
    """What Postgres, ObjectStore and Clamd have in common."""

    def start(self) -> None:
        """Start without waiting."""

    def stop(self) -> None:
        """Stop and wait."""

    @property
    def ended(self) -> bool:
        """Whether it ended unasked."""

    @property
    def log(self) -> Path:
        """Its own log."""


class Backing:
    """All of them. None stands for one that is external, and for a clamd that is not installed."""

    def __init__(self, family: Family, home: Home, environ: Mapping[str, str], ports: Ports) -> None:
        self._environ = environ
        self._home = home
        self._family = family
        self._servers: dict[str, Server] = {}
        self._again_at: dict[str, float] = {}
        self._ends: Counter[str] = Counter()
        self.postgres: Postgres | None = None
        self.store: ObjectStore | None = None
        if not environ.get("BILTEN_DATABASE_URL"):
            self.postgres = self._servers["Postgres"] = Postgres(family, home.postgres, port=ports.postgres)
        if not environ.get("BILTEN_S3_ENDPOINT"):
            self.store = self._servers["object store"] = ObjectStore(family, home.objects, ports=ports.store)
        elif missing := [name for name in _S3_VARIABLES if not environ.get(name)]:
            raise LocalError(f"BILTEN_S3_ENDPOINT is set, so set {' and '.join(missing)} too.")
        self.clamd: Clamd | None = None
        if not self._external_clamd() and clamd.find():
            self.clamd = self._servers["clamd"] = Clamd(family, home.clamd)

    def start(self) -> None:
        """Start what is embedded; returns before it answers. Raises `LocalError`."""
        for server in self._servers.values():
            server.start()

    def variables(self) -> dict[str, str]:
        """The settings by which the API finds what is embedded."""
        made = {}
        if self.postgres:
            made["BILTEN_DATABASE_URL"] = self.postgres.url()
        if self.store:
            address = self.store.address()
            values = (address.endpoint, address.access_key, address.secret_key)
            made |= dict(zip(_S3_VARIABLES, values, strict=True)) | self.buckets()
        if self.clamd:
            made["BILTEN_CLAMD_SOCKET"] = str(self.clamd.socket)
        return made

    def buckets(self) -> dict[str, str]:
        """The buckets that the embedded store is to have."""
        return {name: self._environ.get(name) or bucket for name, bucket in BUCKETS.items()}

    def describe_database(self) -> str:
        """Where the database is; with its password only when that is one of this folder's own."""
        if self.postgres:
            return self.postgres.url()
        url = urlsplit(self._environ["BILTEN_DATABASE_URL"])
        return f"external, {url.hostname}{f':{url.port}' if url.port else ''}{url.path}"

    def describe_store(self) -> tuple[str, ...]:
        """Where the object store is, with its keys only when they are this folder's own."""
        if self.store:
            address = self.store.address()
            return address.endpoint, f"access key {address.access_key}", f"secret key {address.secret_key}"
        return (f"external, {self._environ['BILTEN_S3_ENDPOINT']}",)

    def describe_scanner(self) -> str:
        """What scans uploads."""
        if external := self._external_clamd():
            return f"external clamd, {external}"
        if self.clamd is None:
            return "YARA-X; for a real one: apt-get install clamav-daemon, or brew install clamav"
        if self.clamd.own_signatures:
            return f"clamd, {self.clamd.socket}  (knows the EICAR test file only; freshclam brings signatures)"
        return f"clamd, {self.clamd.socket}  (signatures of {self.clamd.signatures}; ready in half a minute)"

    def _external_clamd(self) -> str | None:
        return self._environ.get("BILTEN_CLAMD_SOCKET") or self._environ.get("BILTEN_CLAMD_HOST")

    def ended(self) -> list[str]:
        """A sentence for each embedded server that has ended unasked; `tick` starts it again."""
        sentences = []
        for name, server in self._servers.items():
            if server.ended and name not in self._again_at:
                pause = min(2 ** self._ends[name], _LONGEST_PAUSE_S)
                self._ends[name] += 1
                self._again_at[name] = time.monotonic() + pause
                sentences.append(f"{name} ended on its own; again in {pause} s ({last_line(server.log)})")
        return sentences

    def tick(self) -> None:
        """Start again what ended."""
        for name, due in list(self._again_at.items()):
            if time.monotonic() > due:
                del self._again_at[name]
                self._servers[name].start()

    def stop(self, report: Callable[[str], None]) -> None:
        """Stop what is embedded, the newest first, calling `report` with the name of each."""
        for name, server in reversed(self._servers.items()):
            server.stop()
            report(name)


def make_buckets(address: S3Address, names: Iterable[str]) -> None:
    """Make the buckets that the store lacks. Raises `LocalError`."""
    client = address.client()
    for bucket in names:
        try:
            if not client.bucket_exists(bucket):
                client.make_bucket(bucket)
        except minio.error.MinioException as error:
            raise LocalError(f"The object store refused to make the bucket {bucket}: {error}.") from None
