"""Child processes that cannot outlive their parent, however it ends.

Three nets, each for the failure of the one before: the supervisor stops its children; the guardian does when the
supervisor was killed; the records on disk let the next start do it when the guardian was killed too.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import psutil

from bilten.local.guardian import Member, end

#: Holds a new child back until it is registered: were the supervisor killed in between, `read` meets end of file and
#: the child ends without having become anything.
_GATE = ["/bin/sh", "-c", 'read -r _ && exec "$@" </dev/null', "sh"]


class Family:
    """The processes of one supervisor.

    `records` is a folder of its own for the members' identities. Entering starts the guardian and ends what an
    earlier supervisor with the same records left behind; leaving stops all members, the newest first.
    """

    def __init__(self, records: Path) -> None:
        self._records = records
        self._guardian: subprocess.Popen[str] | None = None
        self._members: dict[str, Member] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self._records.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._end_leftovers()
        self._guardian = subprocess.Popen(
            [sys.executable, "-m", "bilten.local.guardian"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", start_new_session=True, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def spawn(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        output: IO[Any] | int,
        signals: Iterable[int] = (signal.SIGTERM,),
        pass_fds: Sequence[int] = (),
        uid: int | None = None,
        gid: int | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start a member in a session of its own, so that a terminal's Ctrl-C reaches only the supervisor.

        `signals` ask it to end, gently ones first. With `uid` it runs as that user; the working directory is
        entered before, so the user need not be able to reach it. Raises OSError when it cannot be started, ValueError
        when a member of that name still runs: it would be forgotten.
        """
        if name in self._members and self._members[name].process():
            raise ValueError(f"a member named {name} runs already")
        drop: dict[str, Any] = {} if uid is None else {"user": uid, "group": gid, "extra_groups": []}
        process = subprocess.Popen(
            [*_GATE, *map(str, command)],
            env=dict(env), cwd=cwd, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, pass_fds=pass_fds, **drop,
        )  # fmt: skip
        self._add(Member.of(name, process.pid, signals))
        self._processes[name] = process
        if process.stdin:
            with suppress(BrokenPipeError), process.stdin:
                process.stdin.write(b"\n")
        return process

    def adopt(self, name: str, pid: int) -> None:
        """Make a process a member that was not started here and needs no gentle end."""
        with suppress(psutil.NoSuchProcess):
            self._add(Member.of(name, pid, []))

    def remove_at_end(self, path: Path) -> None:
        """Have a temporary folder or file removed when everything started after it has ended."""
        self._add(Member(f"path {path.name}", path=str(path)))

    def stop(self, name: str) -> int | None:
        """Stop one member and return its exit status; None when there is no such member."""
        member = self._members.get(name)
        if member is None:
            return None
        end(member)
        return self.forget(name)

    def forget(self, name: str) -> int | None:
        """Reap a member that has ended on its own and return its exit status."""
        process = self._processes.pop(name, None)
        del self._members[name]
        self._record(name).unlink(missing_ok=True)
        self._tell("drop", name)
        return process.wait() if process else None

    def kill(self) -> None:
        """End all members without patience, by the harshest signal each of them has. Does not wait."""
        for member in reversed(self._members.values()):
            if member.process() is not None:
                harshest = member.signals[-1] if len(member.signals) > 1 else signal.SIGKILL
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(member.pid, harshest)

    def close(self) -> None:
        """Stop all members, the newest first, and the guardian."""
        for name in reversed(list(self._members)):
            self.stop(name)
        if self._guardian and self._guardian.stdin:
            with suppress(BrokenPipeError):
                self._guardian.stdin.close()
            self._guardian.wait()
            self._guardian = None

    def _add(self, member: Member) -> None:
        self._members[member.name] = member
        self._record(member.name).write_text(member.dump())
        self._tell("add", asdict(member))

    def _tell(self, verb: str, value: Any) -> None:
        if self._guardian and self._guardian.stdin:
            with suppress(BrokenPipeError):  # a killed guardian: the records on disk remain
                self._guardian.stdin.write(json.dumps([verb, value]) + "\n")
                self._guardian.stdin.flush()

    def _record(self, name: str) -> Path:
        return self._records / f"{name}.json"

    def _end_leftovers(self) -> None:
        records = sorted(self._records.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for record in records:
            with suppress(ValueError, TypeError):  # half a record: its process was never let through the gate
                end(Member(**json.loads(record.read_text())))
            record.unlink()


def quiet_environment(**variables: str) -> dict[str, str]:
    """An environment for a server that shall not see the developer's own settings: PATH, locale, `variables`."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR", "LANG") if key in os.environ}
    return {**kept, **variables}
