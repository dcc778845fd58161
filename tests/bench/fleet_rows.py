"""The rows that need an API server only: many instances at once, then edited, then at rest; the operator's memory.

All on one stage, one after the other, as each needs what the one before it left.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from bench import memory
from bench.audit import Call
from bench.fleet import Fleet, watched
from bench.stage import Stage, stage
from bench.table import Row, quantile
from support import apiserver

#: The Lease is renewed whatever the number of instances, and says nothing of them.
_STANDING = {"leases"}

#: What an edit sets off is done before the next one: it is the answer that is measured, not how many there may be.
EDIT_PAUSE_S = 0.5

NAMES = ("ready", "memory", "edits", "idle", "many")


@dataclass(frozen=True)
class Sizes:
    """How much of it."""

    instances: int = 200
    many: int = 1000
    edits: int = 200
    #: The operator looks at each instance every ten minutes, so that a whole round is in it.
    idle_s: float = 660
    #: Without a call of the operator for so long, what was asked for is done.
    quiet_s: float = 5
    #: After so long without all of them being Ready it is given up.
    patience_s: float = 600


async def measure(names: set[str], sizes: Sizes, kept: Path | None) -> list[Row]:
    """The rows of these names, in order."""
    if not names:
        return []
    n, many = sizes.instances, sizes.many
    rows = {
        "ready": Row(f"{n} instances, all Ready", "≤ 120 s"),
        "idle": Row(f"{n} instances idle, API calls per instance and minute", "< 1"),
        "edits": Row(f"edit to first write, {n} instances, p99 of {sizes.edits}", "≤ 1 s"),
        "memory": Row(f"operator's memory, {n} instances", "≤ 120 MB"),
        "many": Row(f"operator's memory, {many} instances", "≤ 250 MB"),
    }
    asked = [rows[name] for name in NAMES if name in names]
    if apiserver.programs() is None:
        for row in asked:
            row.skipped = f"set {apiserver.ASSETS} to a folder with kube-apiserver, etcd and kubectl"
        return asked
    doing = rows["ready"]
    try:
        async with stage(kept) as made, watched(made) as fleet:
            await _ready(rows["ready"], fleet, sizes)
            _say(doing)
            for name, work in (("memory", _memory), ("edits", _edits), ("idle", _idle), ("many", _many)):
                doing = rows[name]
                if name in names:
                    await work(doing, fleet, sizes)
                    _say(doing)
    except (RuntimeError, TimeoutError, aiohttp.ClientError, ExceptionGroup) as error:
        doing.failed = str(error)
        return [row for row in asked if row.figure or row is doing] or [doing]
    return asked


def _say(row: Row) -> None:
    """What takes half an hour in all should not be silent."""
    sys.stderr.write(f"  {row.name}: {row.figure}\n")


async def _ready(row: Row, fleet: Fleet, sizes: Sizes) -> None:
    count = sizes.instances
    clock, began = time.time(), await fleet.make(count)
    await fleet.until_ready(sizes.patience_s)
    took_s = max(fleet.ready_at.values()) - began
    row.figure, row.reached = f"{took_s:.1f} s", took_s <= 120
    await _quiet(fleet.stage, sizes.quiet_s)
    calls = fleet.stage.audit.operator(clock)
    writes = [call for call in calls if call.writes and call.what not in _STANDING]
    row.notes.append(f"{len(writes) / count:.1f} writes per instance: {_by_kind(writes, count)}")
    row.notes.append(f"{len(calls) / count:.1f} calls in all, of which {_refused(calls)} were refused")
    row.notes.append(_shares(fleet.stage))


async def _idle(row: Row, fleet: Fleet, sizes: Sizes) -> None:
    before, began = await fleet.stage.samples(), time.time()
    await asyncio.sleep(sizes.idle_s)
    ended, after = time.time(), await fleet.stage.samples()
    calls = fleet.stage.audit.operator(began, ended)
    minutes = (ended - began) / 60
    each = len(calls) / sizes.instances / minutes
    row.figure, row.reached = f"{each:.2f}", each < 1
    own = after["bilten_operator_api_calls_total"] - before["bilten_operator_api_calls_total"]
    row.notes.append(f"{len(calls)} calls in {minutes:.1f} minutes, {own:.0f} by the operator's own count")
    row.notes.append(_by_kind(calls, sizes.instances * minutes))


async def _edits(row: Row, fleet: Fleet, sizes: Sizes) -> None:
    """One edit after the other, each of another instance."""
    began = time.time()
    for number in range(sizes.edits):
        namespace = fleet.namespaces[number % len(fleet.namespaces)]
        await fleet.edit(namespace, {"api": {"replicas": 2 + number // len(fleet.namespaces)}})
        await asyncio.sleep(EDIT_PAUSE_S)
    await _quiet(fleet.stage, sizes.quiet_s)
    writes = [call for call in fleet.stage.audit.operator(began) if call.writes and call.what not in _STANDING]
    waits_s = []
    for edit in fleet.stage.audit.edits(began):
        answer = next((call for call in writes if call.namespace == edit.namespace and call.at > edit.at), None)
        if answer is None:
            raise RuntimeError(f"the edit of {edit.namespace} was never answered")
        waits_s.append(answer.at - edit.at)
    if len(waits_s) != sizes.edits:
        raise RuntimeError(f"{len(waits_s)} edits are in the audit log instead of {sizes.edits}")
    p99 = quantile(waits_s, 0.99)
    row.figure, row.reached = f"{p99:.3f} s", p99 <= 1
    row.notes.append(f"median {quantile(waits_s, 0.5):.3f} s, longest {max(waits_s):.3f} s")
    row.notes.append(f"{len(writes) / sizes.edits:.1f} writes per edit: {_by_kind(writes, sizes.edits)}")


async def _memory(row: Row, fleet: Fleet, _sizes: Sizes) -> None:
    found = memory.of(fleet.stage.operator_pid)
    row.figure, row.reached = str(found), found.rss <= 120 * memory.MB


async def _many(row: Row, fleet: Fleet, sizes: Sizes) -> None:
    began = await fleet.make(sizes.many - len(fleet.namespaces))
    await fleet.until_ready(sizes.patience_s * sizes.many / sizes.instances)
    row.notes.append(f"the last of them was Ready {max(fleet.ready_at.values()) - began:.0f} s after the first of them")
    await _quiet(fleet.stage, sizes.quiet_s)
    found = memory.of(fleet.stage.operator_pid)
    row.figure, row.reached = str(found), found.rss <= 250 * memory.MB


async def _quiet(made: Stage, quiet_s: float) -> None:
    """Wait until the operator has nothing left to do."""
    while any(call.what not in _STANDING for call in made.audit.operator(time.time() - quiet_s)):  # noqa: ASYNC110 a log
        await asyncio.sleep(1)


def _by_kind(calls: Iterable[Call], units: float) -> str:
    counts = Counter((call.verb, call.what) for call in calls)
    return ", ".join(f"{verb} {what or '/'} {count / units:.2f}" for (verb, what), count in counts.most_common())


def _refused(calls: Iterable[Call]) -> str:
    refused = Counter(call.status for call in calls if call.status >= 400)
    return ", ".join(f"{count} with {status}" for status, count in refused.most_common()) or "none"


def _shares(made: Stage) -> str:
    """Who used the processors so far: whether it is the operator that is measured."""
    used = []
    for process in psutil.Process().children(recursive=True):
        times = process.cpu_times()
        name = "operator" if process.pid == made.operator_pid else process.name()
        used.append((times.user + times.system, name))
    return "seconds of processor: " + ", ".join(f"{name} {spent:.0f}" for spent, name in sorted(used, reverse=True)[:5])
