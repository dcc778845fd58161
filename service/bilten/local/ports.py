"""Free TCP ports on loopback."""

import errno
import random
import socket
from collections.abc import Collection

#: SeaweedFS derives the port of each server's gRPC twin by adding this.
GRPC_OFFSET = 10_000

#: Below the ranges from which Linux (32768) and macOS (49152) take ports of outgoing connections, twins included.
_RANGE = range(10_000, 22_000)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True


def pick(count: int, *, taken: Collection[int] = (), seed: str | None = None) -> list[int]:
    """Choose that many free ports whose gRPC twins are free too, not in `taken`; the same for the same seed."""
    chosen: list[int] = []
    for port in random.Random(seed).sample(_RANGE, len(_RANGE)):  # noqa: S311 - no secret
        if len(chosen) == count:
            break
        if port not in taken and is_free(port) and is_free(port + GRPC_OFFSET):
            chosen.append(port)
    return chosen
