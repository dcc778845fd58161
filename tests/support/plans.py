"""Reads how Postgres means to run a statement, so that a test can refuse a plan that will not scale."""

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
from bilten.db.database import Database
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection
from support.large import TABLES


@dataclass(frozen=True)
class Plan:
    """What EXPLAIN says of one statement."""

    root: dict[str, Any]

    @property
    def nodes(self) -> Iterator[dict[str, Any]]:
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(node.get("Plans", ()))

    @property
    def sequential_scans(self) -> list[str]:
        """The tables that are read from end to end."""
        return [node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"]

    @property
    def indexes(self) -> set[str]:
        """The indexes that are used."""
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    @property
    def rows_sorted(self) -> float:
        """The planner's guess of the rows in the largest sort; 0 when nothing is sorted."""
        return max((node["Plan Rows"] for node in self.nodes if node["Node Type"] == "Sort"), default=0)

    @property
    def cost(self) -> float:
        """In Postgres's units: 1 is one page read in sequence."""
        cost: float = self.root["Total Cost"]
        return cost

    def __str__(self) -> str:
        return json.dumps(self.root, indent=1)


def refuse_scans(plan: Plan) -> None:
    """Fail when the plan reads a large table from end to end."""
    assert not set(TABLES).intersection(plan.sequential_scans), str(plan)


async def plans_of_calls(db: Database, calls: Callable[[AsyncConnection], Awaitable[object]]) -> list[Plan]:
    """The plan of each statement that the calls send in a transaction, which is undone."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    async with db.transaction() as tx:
        undo = await tx.begin_nested()
        event.listen(tx.sync_connection, "before_cursor_execute", note)
        await calls(tx)
        event.remove(tx.sync_connection, "before_cursor_execute", note)
        plans = [await tx.exec_driver_sql(f"explain (format json) {sql}", values) for sql, values in sent]
        await undo.rollback()
    return [_plan(plan.scalar_one()) for plan in plans]


def _plan(answer: Any) -> Plan:
    return Plan((json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"])


async def plan_of(connection: asyncpg.Connection, sql: str, *args: Any) -> Plan:
    """The plan of a statement with these arguments; it is not run."""
    return _plan(await connection.fetchval(f"explain (format json) {sql}", *args))
