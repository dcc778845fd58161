"""One port for the debugger through all reloads.

Each API has a debug adapter of its own, and no two of them can follow each other on one port within a minute: the
connections of the first linger. So a debugger connects here, and is passed on to the adapter of the API that runs.
"""

import socket
import threading
from contextlib import suppress


class Relay:
    """Listens on loopback until it is closed. Raises OSError when the port is taken; 0: any."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        #: The port connections are passed on to; those that come while it is 0 are closed.
        self.target = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread, which close() alone does not
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=_pass_on, args=(client, self.target), daemon=True).start()


def _pass_on(client: socket.socket, port: int) -> None:
    with client, suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as adapter:
        adapter.settimeout(None)
        back = threading.Thread(target=_pump, args=(adapter, client), daemon=True)
        back.start()
        _pump(client, adapter)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
