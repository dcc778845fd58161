"""`.bilten/`: one at a time, private, and plain words when it cannot be used."""

import errno
import json
import os
import socket
from pathlib import Path

import jwt
import pytest
from bilten.local import dev, ports
from bilten.local.home import Home
from bilten.local.problem import LocalError
from bilten.settings import Settings


def test_one_supervisor_holds_the_folder(tmp_path: Path):
    with Home(tmp_path).locked(), pytest.raises(LocalError, match=r"runs in this folder already \(process \d+\)"):  # noqa: SIM117
        with Home(tmp_path).locked():
            pass
    with Home(tmp_path).locked():
        pass


def test_a_folder_that_cannot_be_written_is_named_with_what_helps(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match=r"file/\.bilten cannot be written by \w+ .*chown"):  # noqa: SIM117
        with Home(tmp_path / "file" / ".bilten").locked():
            pass


def test_a_disk_that_is_nearly_full_is_refused(tmp_path: Path):
    home = Home(tmp_path)
    home.require_space(1)
    with pytest.raises(LocalError, match=r"MB free and Bilten needs \d+ MB: free some space"):
        home.require_space(1 << 60)


def test_a_disk_that_fills_up_later_is_one_sentence_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fill(_home: Home) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Home, "require_space", fill)
    assert dev.main(["--home", str(tmp_path / "home")]) == 1
    assert capsys.readouterr().err == (
        f"The disk of {tmp_path}/home is full: free some space, then run `make up` again.\n"
    )


def test_secrets_are_made_once_private_and_what_the_settings_want(tmp_path: Path):
    home = Home(tmp_path)
    made = home.secrets()
    assert made == Home(tmp_path).secrets()
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    Settings(
        database_url="postgresql://nowhere/x",
        secret_key=made["BILTEN_SECRET_KEY"],
        token_keys=made["BILTEN_TOKEN_KEYS"],
    )
    (key,) = json.loads(made["BILTEN_TOKEN_KEYS"])["keys"]
    signed = jwt.encode({"sub": "x"}, jwt.PyJWK(key).key, "EdDSA")
    public = {name: value for name, value in key.items() if name != "d"}
    assert jwt.decode(signed, jwt.PyJWK(public).key, ["EdDSA"]) == {"sub": "x"}


def test_ports_stay_the_same_from_start_to_start(tmp_path: Path):
    assert Home(tmp_path).ports() == Home(tmp_path).ports()


def test_a_port_that_is_taken_is_replaced_and_the_others_are_kept(tmp_path: Path):
    home = Home(tmp_path)
    postgres, store, worker = home.ports()
    with socket.create_server(("127.0.0.1", postgres)):
        other, *same = home.ports()
    assert other != postgres
    assert same == [store, worker]
    assert home.ports() == (other, store, worker)


def test_a_port_whose_grpc_twin_is_taken_is_not_free_for_the_store(tmp_path: Path):
    store = Home(tmp_path).ports().store
    with socket.create_server(("127.0.0.1", store.s3 + ports.GRPC_OFFSET)):
        assert Home(tmp_path).ports().store.s3 != store.s3


def test_emptying_removes_everything_but_the_locks(tmp_path: Path):
    home = Home(tmp_path)
    home.secrets()
    home.postgres.mkdir()
    (home.postgres / "data").write_text("")
    (tmp_path / "install.log").write_text("")
    home.empty()
    assert [path.name for path in tmp_path.iterdir()] == ["install.log"]


def test_picked_ports_are_free_and_different():
    chosen = ports.pick(20, taken=range(10_000, 11_000))
    assert len(set(chosen)) == 20
    assert all(port >= 11_000 and ports.is_free(port) for port in chosen)


@pytest.mark.parametrize("port", ["many", "-1", "65536", ""])
def test_a_port_that_is_none_is_refused_before_anything_starts(port: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        dev.main([f"--port={port}"])
    assert caught.value.code == 2
    sentence = f"{port!r} is no port: write a number up to 65535, as in `make up PORT=3002`\n"
    assert capsys.readouterr().err.endswith(sentence)
