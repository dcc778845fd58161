"""The API's socket, and the sentence for each reason why it cannot be had."""

import socket
import subprocess
import sys

import psutil
import pytest
from bilten.local.listener import Listener
from bilten.local.problem import LocalError

#: A program that has a port, says which, and waits.
OTHER = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


def test_a_taken_port_is_reported_with_who_has_it_and_what_to_type():
    with subprocess.Popen([sys.executable, "-c", OTHER], stdout=subprocess.PIPE, stdin=subprocess.PIPE) as other:
        assert other.stdout
        port = int(other.stdout.readline())
        with pytest.raises(LocalError) as caught:
            Listener("127.0.0.1", port)
        name = psutil.Process(other.pid).name()
        other.kill()
    assert str(caught.value) == (
        f"Port {port} is in use by {name} (process {other.pid}): "
        f"stop it, or choose another port with `PORT={port + 1} make up`."
    )


def test_an_address_of_another_machine_is_reported():
    with pytest.raises(LocalError, match=r"cannot listen on 192\.0\.2\.1:8080 .*correct BILTEN_HOST"):
        Listener("192.0.2.1", 8080)


def test_it_opens_again_on_the_port_it_had():
    listener = Listener("127.0.0.1", 0)
    port = listener.port
    listener.open()
    listener.close()
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    listener.open()
    socket.create_connection(("127.0.0.1", port)).close()
    listener.close()


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:{}"), ("0.0.0.0", "http://127.0.0.1:{}"), ("::", "http://[::1]:{}")],  # noqa: S104
)
def test_its_address_is_one_a_browser_can_use(host: str, url: str):
    listener = Listener(host, 0)
    assert listener.url == url.format(listener.port)
    listener.close()
