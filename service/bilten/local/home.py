"""`.bilten/`, where everything lives that `make up` makes: data, logs, ports, secrets. One supervisor at a time."""

import base64
import errno
import fcntl
import json
import os
import pwd
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bilten.local import ports
from bilten.local.objectstore import Ports as StorePorts
from bilten.local.problem import LocalError
from bilten.local.secretfile import write_secret

#: A first start writes about 150 MB; a Postgres that meets a full disk stops.
NEEDED_BYTES = 500 * 1024 * 1024

_SERVERS = ("postgres", "s3", "master", "volume", "filer", "admin", "worker")


class Ports(NamedTuple):
    """The ports of what runs beside the API."""

    postgres: int
    store: StorePorts
    worker: int


class Home:
    """The data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = folder / "postgres"
        self.objects = folder / "objects"
        self.clamd = folder / "clamd"
        self.logs = folder / "logs"
        self.records = folder / "run"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder. Raises `LocalError` when it cannot be written or another supervisor holds it."""
        try:
            self.folder.mkdir(exist_ok=True, mode=0o700, parents=True)
            self.logs.mkdir(exist_ok=True)
            lock = (self.folder / "lock").open("a+")
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            user = _user()
            raise LocalError(
                f"{self.folder} cannot be written by {user} ({error.strerror}): make it yours with "
                f"`sudo chown -R {user} {self.folder}`."
            ) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise LocalError(
                    f"Bilten runs in this folder already (process {lock.read().strip()}): stop it with Ctrl-C first."
                ) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield

    def require_space(self, needed_bytes: int = NEEDED_BYTES) -> None:
        """Raise `LocalError` when the disk has less than that."""
        free = shutil.disk_usage(self.folder).free
        if free < needed_bytes:
            raise LocalError(
                f"The disk of {self.folder} has {free >> 20} MB free and Bilten needs {needed_bytes >> 20} MB: "
                "free some space, then run `make up` again."
            )

    def ports(self) -> Ports:
        """The ports of last time, others only where one is taken now.

        At first they follow from the folder's name, so that two clones never want the same.
        """
        path = self.folder / "ports.json"
        wanted = dict(zip(_SERVERS, ports.pick(len(_SERVERS), seed=str(self.folder)), strict=True))
        wanted |= {name: int(port) for name, port in _read(path).items() if name in wanted}
        chosen: dict[str, int] = {}
        for name, port in wanted.items():
            free = port not in chosen.values() and ports.is_free(port) and ports.is_free(port + ports.GRPC_OFFSET)
            chosen[name] = port if free else ports.pick(1, taken=[*wanted.values(), *chosen.values()])[0]
        path.write_text(json.dumps(chosen))
        postgres, worker = chosen.pop("postgres"), chosen.pop("worker")
        return Ports(postgres, StorePorts(**chosen), worker)

    def secrets(self) -> dict[str, str]:
        """The API's secrets as environment variables; made once, so that tokens outlive a restart."""
        path = self.folder / "secrets.json"
        made = _read(path)
        if not made:
            made = {"secret_key": secrets.token_urlsafe(48), "token_keys": json.dumps({"keys": [new_token_key()]})}
            write_secret(path, json.dumps(made))
        return {"BILTEN_SECRET_KEY": made["secret_key"], "BILTEN_TOKEN_KEYS": made["token_keys"]}

    def empty(self) -> None:
        """Remove all data, logs and secrets; what installations need stays."""
        for entry in self.folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name not in {"lock", "install.lock", "install.log"}:
                entry.unlink()


def new_token_key() -> dict[str, str]:
    """A new Ed25519 private key as a JSON Web Key (RFC 8037)."""
    key = Ed25519PrivateKey.generate()
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": secrets.token_hex(8),
        "x": _base64url(key.public_key().public_bytes_raw()),
        "d": _base64url(key.private_bytes_raw()),
    }


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's user that has no name
        return str(os.geteuid())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _read(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        return {}
