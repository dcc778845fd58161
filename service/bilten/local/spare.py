"""The supervisor's end of bilten.local.warm: a process kept ready to become the next API."""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from bilten.local.child import Child

#: Run by its path: as a module of the package it would not start while the package's own code is broken.
_PROGRAM = Path(__file__).with_name("warm.py")


class Spare:
    """`make` starts the process with the command and the descriptor it is given."""

    def __init__(self, make: Callable[[Sequence[str], int], Child]) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            self.child = make(["-P", "-Xfrozen_modules=off", str(_PROGRAM), str(theirs.fileno())], theirs.fileno())

    def become_api(self, listener_fd: int, *, debugger_port: int = 0) -> Child:
        """Turn it into the API on that socket, without waiting. 0: no debugger. Raises OSError when it has ended."""
        with self._channel:
            socket.send_fds(self._channel, [str(debugger_port).encode()], [listener_fd])
        self.child.restart_clock()
        return self.child

    def stop(self) -> None:
        """End it unused."""
        self._channel.close()
        self.child.ask_to_end()
        self.child.reap()
