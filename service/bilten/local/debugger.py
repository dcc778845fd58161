"""The debugger of the API: debugpy's adapters behind one port, and none of them left behind."""

import psutil

from bilten.local import ports
from bilten.local.family import Family
from bilten.local.relay import Relay

#: Where editors look for debugpy, if that port is free.
_PORT = 5678

_MEMBER = "debugger"


class Debugger:
    """Made once; `next_adapter` and `adopt` are called for each API."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._relay = Relay(_PORT if ports.is_free(_PORT) else 0)
        self.port = self._relay.port

    def next_adapter(self) -> int:
        """End the adapter of the API that goes, and its session with it; returns the port for the next one."""
        self._family.stop(_MEMBER)
        self._relay.target = ports.pick(1)[0]
        return self._relay.target

    def adopt(self) -> None:
        """Make the adapter a member: it leaves the API's process group, and outlives it while it is attached to."""
        for process in psutil.process_iter(["cmdline"]):
            arguments = process.info["cmdline"] or []
            if "--for-server" in arguments and str(self._relay.target) in arguments:
                self._family.adopt(_MEMBER, process.pid)

    def stop(self) -> None:
        """End it all."""
        self._relay.close()
        self._family.stop(_MEMBER)
