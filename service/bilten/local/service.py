"""A process of ours through its generations: replaced when the code changes, started again when it crashes."""

import time
from collections.abc import Callable

from bilten.local.child import Child

#: A crashed process is started again after so many seconds, the last of them from then on.
BACKOFF_S = (1, 2, 4, 8, 16, 30)

#: A process that ran this long has earned a fresh backoff, in seconds.
_STEADY_S = 60


class Service:
    """`make` starts a process; the one before may still be finishing its work then."""

    def __init__(self, make: Callable[[], Child]) -> None:
        self.child: Child | None = None
        self._make = make
        self._retired: list[Child] = []
        self._crashes = 0
        self._again_at: float | None = None

    @property
    def retiring(self) -> bool:
        """Whether an older generation still runs."""
        return bool(self._retired)

    def start(self) -> None:
        """Start a generation; the one before it is asked to end."""
        self._again_at = None
        self.retire()
        self.child = self._make()

    def retire(self) -> None:
        """Ask the current generation to end, without waiting."""
        if self.child:
            self.child.ask_to_end()
            self._retired.append(self.child)
            self.child = None

    def take_crashed(self) -> Child | None:
        """The current generation if it ended unasked; there is no current one then."""
        if self.child is None or not self.child.ended:
            return None
        crashed, self.child = self.child, None
        if crashed.age_s > _STEADY_S:
            self.forgive()
        return crashed

    def start_later(self) -> float:
        """Have `tick` start a generation after the backoff; returns its seconds."""
        delay = BACKOFF_S[min(self._crashes, len(BACKOFF_S) - 1)]
        self._crashes += 1
        self._again_at = time.monotonic() + delay
        return delay

    def forgive(self) -> None:
        """Forget the crashes, as the code that crashed has changed."""
        self._crashes = 0

    def tick(self) -> None:
        """Bury the retired generations; start what is due."""
        for child in list(self._retired):
            child.hurry()
            if child.ended:
                child.reap()
                self._retired.remove(child)
        if self._again_at is not None and time.monotonic() > self._again_at:
            self.start()

    def stop(self) -> None:
        """End all generations and wait for that."""
        self._again_at = None
        self.retire()
        while self._retired:
            self.tick()
            time.sleep(0.02)
