"""The embedded object store: only its keys let in, and what was stored stays."""

import io
import socket
import ssl
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
import urllib3
from bilten.local import ports
from bilten.local.backing import BUCKETS, make_buckets
from bilten.local.family import Family
from bilten.local.objectstore import ObjectStore, Ports, S3Address
from bilten.local.ports import GRPC_OFFSET
from bilten.local.problem import LocalError
from minio.error import S3Error


def started(store: ObjectStore) -> ObjectStore:
    store.start()
    store.wait_ready()
    return store


def test_objects_outlive_kill_9_and_only_the_keys_reach_them(family: Family, tmp_path: Path):
    chosen = Ports(*ports.pick(5))
    store = started(ObjectStore(family, tmp_path / "objects", ports=chosen, durable=False))  # ended by SIGKILL
    make_buckets(store.address(), BUCKETS.values())
    make_buckets(store.address(), BUCKETS.values())
    client = store.address().client()
    assert {bucket.name for bucket in client.list_buckets()} == set(BUCKETS.values())
    bucket = next(iter(BUCKETS.values()))
    client.put_object(bucket, "name", io.BytesIO(b"content"), 7)
    store.stop()
    assert not store.ended

    store = started(ObjectStore(family, tmp_path / "objects", ports=chosen))
    client = store.address().client()
    with client.get_object(bucket, "name") as answer:
        assert answer.read() == b"content"
    assert urllib3.request("GET", f"{store.address().endpoint}/{bucket}/name").status == 403
    stranger = S3Address(store.address().endpoint, store.address().access_key, "another").client()
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        stranger.list_buckets()

    credentials = tmp_path / "objects" / "credentials.json"
    assert credentials.stat().st_mode & 0o777 == 0o600
    command_lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not any(store.address().secret_key in line for line in command_lines)
    assert store.address().secret_key not in repr(store.address())
    listening = {
        c.laddr.ip for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == chosen.s3
    }
    assert listening == {"127.0.0.1"}
    for port in asdict(chosen).values():
        assert "CERTIFICATE_REQUIRED" in grpc_answer(port + GRPC_OFFSET)
        assert grpc_answer(port + GRPC_OFFSET, certificate=tmp_path / "objects" / "grpc") == "HTTP/2"
    assert (tmp_path / "objects" / "grpc.key").stat().st_mode & 0o777 == 0o600
    unsigned = urllib3.request("POST", f"http://127.0.0.1:{chosen.volume}/1,0100000001", fields={"file": ("x", b"x")})
    assert (unsigned.status, unsigned.json()) == (401, {"error": "wrong jwt"})
    assert sockets_of(chosen)
    family.close()
    assert not sockets_of(chosen)


def grpc_answer(port: int, *, certificate: Path | None = None) -> str:
    """What a server says to a caller with or without a certificate: HTTP/2, or why it refuses."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if certificate:
        context.load_cert_chain(certificate.with_suffix(".crt"), certificate.with_suffix(".key"))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        try:
            with context.wrap_socket(plain) as secured:
                # Each side begins with its settings: a frame of type 4 (RFC 9113 §3.4).
                return "HTTP/2" if secured.recv(9)[3:4] == b"\x04" else "something else"
        except ssl.SSLError as refusal:
            return str(refusal.reason)


def sockets_of(chosen: Ports) -> list[Path]:
    numbers = {str(port) for port in asdict(chosen).values()} | {
        str(port + GRPC_OFFSET) for port in asdict(chosen).values()
    }
    return [path for path in Path("/tmp").glob("seaweedfs-*.sock") if path.stem.rsplit("-", 1)[1] in numbers]  # noqa: S108


def test_a_store_that_does_not_start_says_why(family: Family, tmp_path: Path):
    chosen = Ports(*ports.pick(5))
    with socket.create_server(("127.0.0.1", chosen.master)):
        store = ObjectStore(family, tmp_path / "objects", ports=chosen, durable=False)
        store.start()
        with pytest.raises(LocalError, match=r"did not start: .*\(see .*server\.log\)"):
            store.wait_ready()


def test_a_store_that_is_not_there_is_named():
    (port,) = ports.pick(1)
    with pytest.raises(LocalError, match=f"object store at http://127.0.0.1:{port} did not answer within 0 s"):
        S3Address(f"http://127.0.0.1:{port}", "key", "secret").wait_ready(0)
