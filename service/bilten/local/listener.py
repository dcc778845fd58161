"""The API's listening socket. The supervisor holds it, so that no request is refused while the API is replaced."""

import errno
import socket

import psutil

from bilten.local.problem import LocalError


class Listener:
    """Open from the start. Raises `LocalError` when the address is taken, naming who has it where that can be known."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self.port = port
        self._socket: socket.socket | None = None
        self.open()

    @property
    def fd(self) -> int:
        """The descriptor to hand to the API. The socket is open."""
        return self._socket.fileno() if self._socket else -1

    @property
    def reachable_host(self) -> str:
        """Where this machine reaches the socket, if it listens on all addresses too."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 compared only

    @property
    def url(self) -> str:
        """The base address for this machine's browser."""
        return self.url_of(self.port)

    def url_of(self, port: int | str) -> str:
        """The base address of another port of the same host."""
        host = self.reachable_host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def open(self) -> None:
        """Take connections, which wait until a process accepts them. Does nothing when it is open."""
        if self._socket:
            return
        listener = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self.port))
            listener.listen(512)
        except OSError as error:
            listener.close()
            raise self._explain(error) from None
        self._socket = listener
        self.port = listener.getsockname()[1]

    def close(self) -> None:
        """Refuse connections."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _explain(self, error: OSError) -> LocalError:
        if error.errno == errno.EADDRINUSE:
            other = f"choose another port with `PORT={self.port + 1} make up`"
            return LocalError(f"Port {self.port} is in use{_by_whom(self.port)}: stop it, or {other}.")
        if error.errno == errno.EACCES:
            return LocalError(f"Port {self.port} is for root only: choose one above 1023, as in `PORT=3001 make up`.")
        return LocalError(f"Bilten cannot listen on {self._host}:{self.port} ({error.strerror}): correct BILTEN_HOST.")


def _by_whom(port: int) -> str:
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.Error, OSError):  # macOS shows the connections of others to root only
        pass
    return ""
