"""One debugger port in front of adapters that come and go."""

import socket

from bilten.local import ports
from bilten.local.relay import Relay


def test_a_connection_is_passed_on_to_the_target_of_its_time():
    relay = Relay(0)
    with socket.create_server(("127.0.0.1", 0)) as adapter:
        relay.target = adapter.getsockname()[1]
        with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as client:
            served, _ = adapter.accept()
            with served:
                client.sendall(b"question")
                assert served.recv(100) == b"question"
                served.sendall(b"answer")
                assert client.recv(100) == b"answer"
            assert client.recv(100) == b""
    relay.close()
    assert ports.is_free(relay.port)


def test_without_a_target_a_connection_is_closed():
    relay = Relay(0)
    with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as client:
        assert client.recv(100) == b""
    relay.close()
