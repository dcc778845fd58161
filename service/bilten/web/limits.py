"""How many requests a minute: a fixed window per key, in this process's memory.

Anonymous callers share their address's window, signed-in callers have their own, so that one page that asks in a loop
(contract §4 item 15) locks out nobody but itself. The address's window is looked at before routing: an unknown path
counts too.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass

#: Keys remembered at once; beyond it the window that was opened longest ago is forgotten.
MAX_KEYS = 100_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one hit found. `reset_s` is whole seconds until the window ends, at least 1."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int

    @property
    def headers(self) -> dict[str, str]:
        """The `RateLimit-*` headers of draft-ietf-httpapi-ratelimit-headers-07."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


class Limiter:
    """Counts hits per key in windows of `window_s` seconds."""

    def __init__(self, window_s: float = 60, max_keys: int = MAX_KEYS) -> None:
        self._window_s = window_s
        self._max_keys = max_keys
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def hit(self, key: str, limit: int) -> Verdict:
        """Count one request under `key` and say whether it is within `limit`."""
        now = time.monotonic()
        started, count = self._windows.get(key, (now, 0))
        if now - started >= self._window_s:
            started, count = now, 0
            self._windows.pop(key, None)
        self._windows[key] = (started, count + 1)
        if len(self._windows) > self._max_keys:
            self._windows.popitem(last=False)
        reset_s = max(1, int(started + self._window_s - now + 0.999))
        return Verdict(allowed=count < limit, limit=limit, remaining=max(0, limit - count - 1), reset_s=reset_s)
