"""The row of lists: every filter, order and page of `GET /files`, as Postgres says it took, among very many files."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
from bench.files_filled import VARIANTS_OF, fill
from bench.files_stage import FilesStage
from bench.table import Row, quantile
from bilten.context import Principal
from bilten.db.paging import Listing, Window, bounded_count, page_of_ids
from bilten.db.statement import Arguments
from bilten.files.filters import FilesQuery
from bilten.files.list_queries import listing, page_statement
from support.plans import Plan

ROUNDS = 6
_PAGE = 20
#: Of the owners by what they have: the one with most, one with some hundred, one with some ten.
_OWNERS = {"a large owner": 0, "an owner": 2_000, "a small owner": 15_000}
_DATABASE = "bench_lists"
_COUNT = ": how many"

#: What is looked for; words by how frequent they are, the most frequent first.
_WORDS = {"often": 0, "sometimes": 400, "seldom": 2_990}
_FILTERS: list[dict[str, str]] = [
    {},
    *({"sort": sort} for sort in ("created_at", "name", "-name", "size", "-size")),
    {"folder": "/posters"},
    {"folder": "/no/such"},
    {"type": "image/png"},
    {"type": "image/*"},
    {"type": "application/pdf"},
    {"type": "video/mp4"},
    {"tag": "{often}"},
    {"tag": "no such tag"},
    {"status": "infected"},
    {"visibility": "public"},
    {"search": "{often}"},
    {"search": "{sometimes}"},
    {"search": "{seldom}"},
    {"search": "{often} {sometimes}"},
    {"search": "no-such-word"},
    {"search": "ca"},
    {"search": "qz"},
    {"min_size": "9900000"},
    {"max_size": "0"},
    {"min_size": "100000", "max_size": "110000"},
    {"from": "2024-06-01", "to": "2024-06-30"},
    {"from": "2099-01-01"},
    {"search": "{sometimes}", "type": "image/*", "visibility": "public"},
    {"search": "{seldom}", "sort": "-size"},
    {"type": "image/*", "tag": "{often}", "sort": "name"},
]


@dataclass
class _Statement:
    what: str
    sql: str
    values: Sequence[object]
    taken_ms: list[float] = field(default_factory=list)
    whole: set[str] = field(default_factory=set)
    #: Of 8 KiB, that were looked at: what a busy machine cannot change.
    blocks: int = 0

    @property
    def median_ms(self) -> float:
        return quantile(self.taken_ms, 0.5)


async def measure(pages: Row, counts: Row, stage: FilesStage, files: int) -> None:
    """Pages at the front, further back and deep, and the number of matches; planning counts as well."""
    url = await _database(stage)
    began = time.monotonic()
    await fill(url, files)
    pages.notes.append(f"filled within {time.monotonic() - began:.0f} s")
    connection = await asyncpg.connect(url, server_settings={"jit": "off"})  # as the service has it
    try:
        statements = [each async for each in _statements(connection)]
        for number in range(ROUNDS):
            for each in statements:
                await _run(connection, each, counts=number > 0)
    finally:
        await connection.close()
    _tell(pages, [each for each in statements if not each.what.endswith(_COUNT)])
    _tell(counts, [each for each in statements if each.what.endswith(_COUNT)])


def _tell(row: Row, statements: list[_Statement]) -> None:
    taken_ms = [one for each in statements for one in each.taken_ms]
    p95 = quantile(taken_ms, 0.95)
    whole = [each for each in statements if each.whole]
    row.figure, row.reached = f"{p95:.1f} ms", p95 <= 10 and not whole
    row.notes.append(
        f"{len(statements)} statements, {ROUNDS - 1} times each: median {quantile(taken_ms, 0.5):.2f} ms,"
        f" p90 {quantile(taken_ms, 0.9):.1f} ms, p99 {quantile(taken_ms, 0.99):.1f} ms"
    )
    row.notes += [f"reads whole {', '.join(sorted(each.whole))}: {each.what}" for each in whole]
    slowest = sorted(statements, key=lambda each: each.median_ms, reverse=True)
    row.notes += [f"{each.median_ms:.1f} ms, {each.blocks} blocks: {each.what}" for each in slowest[:8]]


async def _database(stage: FilesStage) -> str:
    connection = await asyncpg.connect(stage.database_url)
    await connection.execute(f"create database {_DATABASE}")
    await connection.close()
    return urlunsplit(urlsplit(stage.database_url)._replace(path=f"/{_DATABASE}"))


async def _statements(connection: asyncpg.Connection) -> Any:
    words = {name: await connection.fetchval("select word from words where n = $1", n) for name, n in _WORDS.items()}
    owners = {name: await connection.fetchval("select id from owners where n = $1", n) for name, n in _OWNERS.items()}
    for who, viewer in _viewers(owners):
        for filters in _FILTERS:
            wanted = {name: value.format(**words) for name, value in filters.items()}
            query = FilesQuery.model_validate(wanted)
            listed = listing(query, viewer)
            what = f"{who}, {' '.join(f'{name}={value}' for name, value in wanted.items()) or 'all'}"
            yield _Statement(what + _COUNT, bounded_count(listed), listed.values)
            for place, window in await _windows(connection, query, listed):
                sql, values = page_statement(listed, query.order, window)
                shown = [found["version_id"] for found in await connection.fetch(sql, *values)]
                await connection.execute(VARIANTS_OF, shown)
                yield _Statement(f"{what}: {place}", sql, values)


def _viewers(owners: dict[str, UUID]) -> Iterator[tuple[str, Principal]]:
    for who, owner in owners.items():
        yield who, Principal(owner, "user", uuid4(), uuid4(), 0.0)
    yield "admin", Principal(uuid4(), "admin", uuid4(), uuid4(), 0.0)


async def _windows(connection: asyncpg.Connection, query: FilesQuery, listed: Listing) -> list[tuple[str, Window]]:
    """The first page, the fiftieth by its number, and one amid the first ten thousand by its cursor."""
    found = await connection.fetchval(bounded_count(listed), *listed.values)
    arguments = Arguments(listed.values)
    amid = page_of_ids(listed, query.order, Window(0, offset=found // 2), arguments)
    last = await connection.fetchrow(amid, *arguments.values)
    windows = [("first page", Window(_PAGE)), ("page 50", Window(_PAGE, offset=49 * _PAGE))]
    if last:
        windows.append(("a deep page", Window(_PAGE, after=(last["page_value"], last["page_id"]))))
    return windows


async def _run(connection: asyncpg.Connection, statement: _Statement, *, counts: bool) -> None:
    told = await connection.fetchval(
        f"explain (analyze, buffers, timing off, format json) {statement.sql}", *statement.values
    )  # fmt: skip
    explained = json.loads(told)[0]
    statement.blocks = explained["Plan"]["Shared Hit Blocks"] + explained["Plan"]["Shared Read Blocks"]
    statement.whole.update(set(Plan(explained["Plan"]).sequential_scans))
    if counts:
        statement.taken_ms.append(explained["Planning Time"] + explained["Execution Time"])
