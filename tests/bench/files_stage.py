"""The service as `make up` runs it: Postgres that writes to disk, SeaweedFS, clamd, the API and the worker."""

import asyncio
import secrets
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil
from bench.files_client import Client
from bilten.local import clamd as local_clamd
from bilten.local import ports
from bilten.local.clamd import Clamd
from bilten.local.family import Family, quiet_environment
from bilten.local.objectstore import ObjectStore, Ports, S3Address
from bilten.local.postgres import Postgres
from support.secrets import SECRET_KEY, TOKEN_KEYS

PATIENCE_S = 120.0
#: What the rows ask of the settings that these have not by default: files of 100 MB, and nobody who asks too often.
_RAISED = {
    "uploads_at_once": "100",
    "max_document_bytes": str(100 * 1024**2),
    "organizer_quota_bytes": str(1024**4),
    "user_requests_per_minute": "1000000",
    "anonymous_requests_per_minute": "1000000",
}
_BUCKETS = {"s3_quarantine_bucket": "bench-quarantine", "s3_media_bucket": "bench-media"}


def lacks() -> str:
    """What this machine lacks, as advice; empty when it has all."""
    return "" if local_clamd.find() else "install clamd: apt-get install clamav-daemon"


@dataclass
class FilesStage:
    """What a measurement works with."""

    family: Family
    folder: Path
    url: str
    database_url: str
    store: S3Address
    scanner: Clamd
    #: Of the processes of the service, as their variables have them.
    settings: dict[str, str]
    processes: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    @asynccontextmanager
    async def client(self, *, connections: int = 100) -> AsyncIterator[Client]:
        """The seeds' organizer, signed in."""
        connector = aiohttp.TCPConnector(limit=connections)
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            client = Client(session, self.url)
            await client.sign_in("organizer@bilten.com", "organizer123")
            yield client

    @contextmanager
    def working(self) -> Iterator[int]:
        """A worker, while the block runs; its process."""
        process = self.spawn("worker", "worker")
        try:
            yield process.pid
        finally:
            self.family.stop("worker")

    def spawn(self, name: str, command: str) -> "subprocess.Popen[bytes]":
        """`bilten <command>` as a process."""
        variables = {f"BILTEN_{key.upper()}": value for key, value in self.settings.items()}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = self.family.spawn(
                name, [sys.executable, "-m", "bilten", command],
                env=quiet_environment(**variables), cwd=self.folder, output=log,
            )  # fmt: skip
        self.processes[name] = process
        return process

    def spent(self) -> dict[str, float]:
        """Seconds of processor so far, by who used them; the children that look at files and render are one."""
        names = {process.pid: name for name, process in self.processes.items()}
        sums: dict[str, float] = {}
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                parent, times = process.parent(), process.cpu_times()
                own = names.get(process.pid) or ("children" if parent and parent.pid in names else process.name())
                # Of children that have ended, their parent knows; the fork server's are what is asked for here.
                ended = times.children_user + times.children_system if own == "children" else 0.0
                sums[own] = sums.get(own, 0.0) + times.user + times.system + ended
        return sums

    async def idle(self) -> None:
        """Until no job is left to do, but those that are to be done later."""
        due = "finished_at is null and dead_at is null and (attempts > 0 or run_at <= now())"
        connection = await asyncpg.connect(self.database_url)
        try:
            async with asyncio.timeout(PATIENCE_S):
                while await connection.fetchval(f"select 1 from jobs where {due}"):  # noqa: S608 a constant
                    self.check()
                    await asyncio.sleep(0.1)
        finally:
            await connection.close()

    def check(self) -> None:
        """Raise RuntimeError when a process has ended, with the end of its log."""
        for name, process in self.processes.items():
            if process.poll() not in (None, 0):
                log = (self.folder / f"{name}.log").read_text(errors="replace")
                raise RuntimeError(f"{name} ended; the end of its log:\n{log[-2000:]}")


@asynccontextmanager
async def files_stage(kept: Path | None) -> AsyncIterator[FilesStage]:
    """Set it up, without a worker. Raises RuntimeError, TimeoutError or LocalError when it fails.

    Logs are in a temporary folder, or in `kept`, which stays.
    """
    folder = kept or Path(tempfile.mkdtemp(prefix="bilten-bench-files-"))
    folder.mkdir(parents=True, exist_ok=True)
    with Family(folder / "run") as family:
        if kept is None:
            family.remove_at_end(folder)
        made = await asyncio.to_thread(_start, family, folder)
        made.spawn("api", "serve")
        await _until_ready(made)
        yield made


def _start(family: Family, folder: Path) -> FilesStage:
    postgres_port, api_port, *s3_ports = ports.pick(7)
    postgres = Postgres(family, folder / "postgres", port=postgres_port)
    store = ObjectStore(family, folder / "objects", ports=Ports(*s3_ports))
    # Signatures of our own, also where the machine has the public ones: what is compared must not depend on that.
    signatures = folder / "signatures"
    local_clamd.write_signatures(signatures)
    scanner = Clamd(family, folder / "clamd", signatures=signatures)
    _let_in(signatures)
    for server in (postgres, store, scanner):
        server.start()
    for server in (postgres, store, scanner):
        server.wait_ready()
    address = store.address()
    for bucket in _BUCKETS.values():
        address.client().make_bucket(bucket)
    (folder / "spool").mkdir()
    settings: dict[str, Any] = {
        "port": api_port,
        "database_url": postgres.url(),
        "secret_key": SECRET_KEY,
        "token_keys": TOKEN_KEYS,
        "s3_endpoint": address.endpoint,
        "s3_access_key": address.access_key,
        "s3_secret_key": address.secret_key,
        "clamd_socket": scanner.socket,
        "spool_dir": folder / "spool",
        "log_format": "json",
        **_BUCKETS,
        **_RAISED,
    }
    told = {name: str(value) for name, value in settings.items()}
    return FilesStage(family, folder, f"http://127.0.0.1:{api_port}", postgres.url(), address, scanner, told)


def _let_in(signatures: Path) -> None:
    """Under root, clamd runs as another user."""
    for path in (signatures, *signatures.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for parent in signatures.parents[:2]:
        parent.chmod(parent.stat().st_mode | 0o011)


async def _until_ready(made: FilesStage) -> None:
    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
        while True:
            made.check()
            try:
                async with session.get(f"{made.url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


def unlike(content: bytes, at: int) -> bytes:
    """The same bytes but for sixteen of them, which nobody has had before."""
    return content[:at] + secrets.token_hex(8).encode() + content[at + 16 :]
