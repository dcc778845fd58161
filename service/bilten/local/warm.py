"""`python -P warm.py FD`: a process that has imported everything but our own code, and waits.

Two thirds of the time an API takes to start are imports of packages, which do not change while a developer works. The
supervisor keeps one process that has them behind it; when a file is saved, it sends the port of the debugger, if there
is to be one, and the listening socket through FD, a Unix socket, and this process becomes the API. It ends when the
supervisor does.
"""

import importlib
import socket
import sys

#: Of the packages the API imports, those that take longest. One that is missing here only costs its time.
_PACKAGES = (
    "aiohttp.web",
    "aiohttp_cors",
    "alembic.command",
    "alembic.ddl",
    "argon2",
    "asyncpg",
    "email_validator",
    "jinja2",
    "jwt",
    "minio",
    "orjson",
    "prometheus_client",
    "pydantic_settings",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.ext.asyncio",
    "structlog",
)


def main(channel: socket.socket) -> int:
    """Wait for the socket, then serve on it. 0 when none comes."""
    for package in _PACKAGES:
        importlib.import_module(package)
    message, descriptors, _, _ = socket.recv_fds(channel, 16, 1)
    channel.close()
    if not message:
        return 0
    # Ours are read again, from files that may be new: nothing that was imported before the change may serve.
    for name in [name for name in sys.modules if name.partition(".")[0] == "bilten"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    if port := int(message):
        _listen_for_debugger(port)
    sys.argv = ["bilten", "serve", "--fd", str(descriptors[0])]
    status: int = importlib.import_module("bilten.cli").main()
    return status


def _listen_for_debugger(port: int) -> None:
    importlib.import_module("bilten.serve")  # before: traced, these imports take seconds
    debugpy = importlib.import_module("debugpy")
    debugpy.configure(subProcess=False)
    debugpy.listen(("127.0.0.1", port))


if __name__ == "__main__":
    sys.exit(main(socket.socket(fileno=int(sys.argv[1]))))
