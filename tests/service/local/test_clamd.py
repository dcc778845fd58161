"""The clamd of `make up`: it finds what it must, is reached by its owner only, and leaves nothing behind."""

import hashlib
import os
import socket
import stat
import struct
from pathlib import Path

import psutil
import pytest
from bilten.local import clamd
from bilten.local.clamd import Clamd
from bilten.local.family import Family
from bilten.local.problem import LocalError
from bilten.scanning import stamp
from fixtures import machine


def started(server: Clamd) -> Clamd:
    server.start()
    server.wait_ready()
    return server


def verdict(path: Path, content: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(b"zINSTREAM\0" + struct.pack("!I", len(content)) + content + bytes(4))
        return connection.makefile("rb").read()


@pytest.fixture
def no_system_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clamd, "SYSTEM_SIGNATURES", ())


@pytest.mark.usefixtures("no_system_signatures")
def test_the_test_file_is_found_alone_and_within_another(family: Family, tmp_path: Path):
    machine.require("clamd")
    server = started(Clamd(family, tmp_path / "clamd"))
    assert server.own_signatures
    assert b"Eicar-Test-Signature" in verdict(server.socket, clamd.eicar())
    assert b"FOUND" in verdict(server.socket, b"before" + clamd.eicar() + b"after")
    assert verdict(server.socket, b"harmless") == b"stream: OK\0"
    # So that files are scanned again when a later Bilten has other signatures here.
    assert verdict(server.socket, stamp.PROBE).startswith(b"stream: Bilten.Signatures.")


@pytest.mark.usefixtures("no_system_signatures")
def test_it_is_reached_by_its_owner_only_and_leaves_nothing(family: Family, tmp_path: Path):
    machine.require("clamd")
    server = started(Clamd(family, tmp_path / "clamd"))
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
    process = psutil.Process(server.pid)
    assert not process.net_connections("inet")
    if os.geteuid() == 0:
        assert process.username() == "nobody"
    family.close()
    assert not process.is_running()
    if os.geteuid() == 0:
        assert not server.socket.parent.exists()


@pytest.mark.usefixtures("no_system_signatures")
def test_a_killed_clamd_starts_again_where_it_was(family: Family, tmp_path: Path):
    machine.require("clamd")
    server = started(Clamd(family, tmp_path / "clamd"))
    where = server.socket
    process = psutil.Process(server.pid)
    process.kill()
    server.stop()
    started(server)
    assert server.socket == where
    assert verdict(where, b"harmless") == b"stream: OK\0"


def test_signatures_of_the_system_are_used_where_there_are_any(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(clamd, "SYSTEM_SIGNATURES", (tmp_path / "absent", tmp_path))
    server = Clamd(family, tmp_path / "clamd")
    assert server.own_signatures
    (tmp_path / "daily.cld").touch()
    assert server.signatures == tmp_path
    assert not server.own_signatures


def test_one_that_does_not_start_says_why(family: Family, tmp_path: Path):
    machine.require("clamd")
    server = Clamd(family, tmp_path / "clamd", options={"PidFile": "/nowhere/clamd.pid"})
    server.start()
    with pytest.raises(LocalError, match=r"did not start: .*/nowhere/clamd.pid.*\(see .*server\.log\)"):
        server.wait_ready()


def test_a_machine_without_clamd_is_told_how_to_get_one(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(clamd, "find", lambda: None)
    with pytest.raises(LocalError, match="apt-get install clamav-daemon"):
        Clamd(family, tmp_path / "clamd").start()


def test_no_scanner_finds_the_test_file_in_the_source():
    assert clamd.eicar() not in Path(clamd.__file__).read_bytes()
    assert (
        hashlib.sha256(clamd.eicar()).hexdigest() == "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
    )
