"""What a developer sees of `make up`: a line for each step, one screen when all runs, then the logs.

All output of all processes passes through here, so that lines never mix. On a terminal a spinner names what is being
waited for; elsewhere the same lines come plain.
"""

import sys
import threading
import time
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.status import Status

_COLOURS = {"api": "cyan", "worker": "magenta"}


class Screen:
    """The terminal. Safe to use from several threads; a terminal that went away is no error."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True, file=sys.stdout)
        self._lock = threading.Lock()
        self._status: Status | None = None
        self._began = time.monotonic()

    @property
    def interactive(self) -> bool:
        """Whether a person watches."""
        return self._console.is_terminal

    def step(self, name: str, detail: str = "") -> None:
        """A step is done; its time is counted from the start of the program."""
        seconds = f"{time.monotonic() - self._began:.1f} s"
        self._print(f"[green]✓[/] {escape(name):<26} [dim]{seconds:>7}  {escape(detail)}[/]")

    def stopped(self, name: str) -> None:
        """Something has ended as it should."""
        self._print(f"[green]✓[/] {escape(name)} stopped")

    def note(self, text: str) -> None:
        """Something the developer should know."""
        self._print(f"[yellow]●[/] {escape(text)}")

    def trouble(self, text: str, lines: Iterable[str] = ()) -> None:
        """Something went wrong; `lines` are the output that shows it."""
        for line in lines:
            self._print(f"  [dim]{escape(line)}[/]")
        self._print(f"[red]✗[/] {escape(text)}")

    def line(self, label: str, text: str) -> None:
        """A line of one of our processes."""
        self._print(f"[{_COLOURS.get(label, 'blue')}]{escape(label):<6}[/] [dim]│[/] {escape(text)}")

    def waiting(self, text: str) -> None:
        """Show that something is being waited for; an empty text ends it."""
        with self._lock:
            try:
                if self._status:
                    self._status.stop()
                    self._status = None
                if text and self.interactive:
                    self._status = self._console.status(f"[dim]{escape(text)}[/]")
                    self._status.start()
            except OSError:
                self._status = None

    def summary(self, rows: Iterable[tuple[str, str]]) -> None:
        """The screen that says what runs where: names and values."""
        self._print()
        for name, value in rows:
            self._print(f"  [bold]{escape(name):<9}[/] {escape(value)}")
        self._print()

    def _print(self, markup: str = "") -> None:
        with self._lock:
            try:
                self._console.print(markup)
            except OSError:
                self._status = None
