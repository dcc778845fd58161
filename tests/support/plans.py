"""Reads how Postgres means to run a statement, so that a test can refuse a plan that will not scale."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg


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


async def plan_of(connection: asyncpg.Connection, sql: str, *args: Any) -> Plan:
    """The plan of a statement with these arguments; it is not run."""
    answer = await connection.fetchval(f"explain (format json) {sql}", *args)
    return Plan((json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"])
