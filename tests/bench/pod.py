"""The operator as its pod runs it, without a cluster's DNS: the name of any Service leads to the stand-ins' store.

Everything else is the process that `python -m bilten_operator` is, so that what is measured is what is shipped.
"""

import os
import runpy
import socket
from typing import Any

#: Port of the stand-ins' object store, on loopback.
STORE_PORT = "BENCH_STORE_PORT"


def main() -> None:
    """Run the operator."""
    port, resolve = int(os.environ[STORE_PORT]), socket.getaddrinfo

    def getaddrinfo(host: Any, service: Any, *rest: Any, **named: Any) -> Any:
        if isinstance(host, str) and host.endswith(".svc"):
            host, service = "127.0.0.1", port
        return resolve(host, service, *rest, **named)

    socket.getaddrinfo = getaddrinfo
    runpy.run_module("bilten_operator", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
