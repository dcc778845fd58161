"""How looking at a version ends: one transaction each, with its audit row, its quota and the jobs that follow."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping, func
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.audit.queries import record
from bilten.db.database import Database
from bilten.files import notices, queries, quota_queries, reference_queries, removal, verdict_queries
from bilten.files.addresses import all_urls, original_key, quarantine_key
from bilten.files.removing import paths_of
from bilten.scanning.limits import PROFILE
from bilten.scanning.scanner import Verdict
from bilten.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Served:
    """What of a clean version lies in the media bucket."""

    key: str
    media_type: str
    size: int
    width: int | None = None
    height: int | None = None
    placeholder: str | None = None
    mean_color: str | None = None
    variants: Sequence[dict[str, Any]] = field(default_factory=list)

    def keys(self) -> list[str]:
        """All of them, for when nobody wants them any more."""
        return list({self.key, *(row["key"] for row in self.variants)})


async def accept(settings: Settings, db: Database, version: RowMapping, verdict: Verdict, served: Served) -> None:
    """The version is clean: its file shows it from now on, unless a newer one is shown already."""
    async with db.transaction() as tx:
        await _note(tx, version, verdict)
        file = await queries.lock(tx, version["file_id"])
        if file is None:
            # Deleted meanwhile.
            await removal.ask(tx, settings, media=[*served.keys(), original_key(version["id"])])
            return
        seen = {"engine": verdict.engine, "signatures": verdict.signatures, "scanned_at": func.now()}
        shown = {name: getattr(served, name) for name in ("width", "height", "placeholder", "mean_color")}
        where = {"served_key": served.key, "served_type": served.media_type, "served_size": served.size}
        if not await queries.end_version(tx, version["id"], {**seen, **shown, **where, "status": "clean"}):
            return
        if served.variants:
            await queries.add_variants(tx, served.variants)
        if version["number"] >= file["version"]:
            repeated = {name: version[name] for name in ("media_type", "size_bytes")}
            await queries.change(tx, file["id"], {**repeated, "version": version["number"], "status": "clean"})
            await _end_addresses(tx, settings, file, version)
        await removal.ask(tx, settings, quarantine=[quarantine_key(version["id"])])
        await record(
            tx, actor_id=None, action="file.clean", entity="file", entity_id=file["id"], after=_told(version, verdict)
        )


async def _end_addresses(tx: AsyncConnection, settings: Settings, file: RowMapping, shown: RowMapping) -> None:
    """Those of the version that was shown before lead nowhere from now on, also at a CDN; earlier ones do already."""
    before = next((each for each in await queries.versions(tx, file["id"]) if each["number"] == file["version"]), None)
    if before is not None and before["id"] != shown["id"] and before["served_key"]:
        keys = {before["served_key"], *await queries.keys_of_version(tx, before["id"])}
        await removal.ask(tx, settings, paths=paths_of(file, sorted(keys)), file_id=file["id"])


async def refuse(
    settings: Settings, db: Database, version: RowMapping, verdict: Verdict, *, reason: str | None = None
) -> None:
    """The version is infected, or nobody can say: its bytes go, its owner is told, its quota is given back."""
    words = reason or _REASONS[verdict.word]
    async with db.transaction() as tx:
        await _note(tx, version, verdict)
        file = await queries.lock(tx, version["file_id"])
        if file is None:
            return
        seen = {"engine": verdict.engine, "signatures": verdict.signatures, "scanned_at": func.now()}
        if not await _end(tx, settings, version, {**seen, "status": verdict.word, "reason": words[:500]}, file):
            return
        await record(
            tx,
            actor_id=None,
            action=f"file.{verdict.word}",
            entity="file",
            entity_id=file["id"],
            after=_told(version, verdict),
        )
        if verdict.word == "infected":
            await notices.infected(tx, settings, file)


async def fail(settings: Settings, db: Database, version: RowMapping, reason: str) -> None:
    """The version's bytes are lost."""
    async with db.transaction() as tx:
        file = await queries.lock(tx, version["file_id"])
        if file is None:
            return
        if not await _end(tx, settings, version, {"status": "error", "reason": reason}, file):
            return
        await record(
            tx, actor_id=None, action="file.error", entity="file", entity_id=file["id"], after={"reason": reason}
        )


async def confirm(db: Database, version: RowMapping, verdict: Verdict) -> None:
    """A clean version was looked at again, and stays so.

    That others can no longer look at all of it takes nothing away: it was found clean when they could.
    """
    async with db.transaction() as tx:
        await _note(tx, version, verdict)
        seen = {"engine": verdict.engine, "signatures": verdict.signatures, "scanned_at": func.now()}
        await queries.change_clean(tx, version["id"], seen)


async def withdraw(settings: Settings, db: Database, version: RowMapping, verdict: Verdict) -> None:
    """A clean version is infected after all: its addresses, its pictures and what a CDN keeps of it end."""
    seen = {"engine": verdict.engine, "signatures": verdict.signatures, "scanned_at": func.now()}
    async with db.transaction() as tx:
        await _note(tx, version, verdict)
        ended = {**seen, "status": "infected", "reason": _REASONS["infected"]}
        file = await _take_away(tx, settings, version, ended, _told(version, verdict))
        if file is not None:
            await notices.infected(tx, settings, file)


async def lose(settings: Settings, db: Database, version: RowMapping, reason: str) -> None:
    """The bytes of a clean version are lost: it ends as one that is infected does, and could be sent again."""
    async with db.transaction() as tx:
        await _take_away(tx, settings, version, {"status": "error", "reason": reason}, {"reason": reason})


async def _take_away(
    tx: AsyncConnection, settings: Settings, version: RowMapping, ended: dict[str, Any], told: dict[str, Any]
) -> RowMapping | None:
    """End a clean version, and whatever shows it. Its file; None when it is not clean any more."""
    await reference_queries.lock_pages(tx, [version["file_id"]])
    file = await queries.lock(tx, version["file_id"])
    if file is None:
        return None
    variants = await queries.remove_variants(tx, version["id"])
    unserved = {"served_key": None, "served_type": None, "served_size": None}
    if not await queries.change_clean(tx, version["id"], {**ended, **unserved}):
        return None
    if version["number"] == file["version"]:
        await queries.change(tx, file["id"], {"status": ended["status"]})
    keys = sorted({version["served_key"], *variants})
    urls = [url for key in keys for url in all_urls(settings, file["place"], key)]
    await reference_queries.forget(tx, file["id"], urls)
    await quota_queries.give_back(tx, file["owner_id"], version["size_bytes"])
    await removal.ask(
        tx, settings, media=[*keys, original_key(version["id"])], paths=paths_of(file, keys), file_id=file["id"]
    )
    await record(
        tx,
        actor_id=None,
        action=f"file.{ended['status']}",
        entity="file",
        entity_id=file["id"],
        before={"status": "clean"},
        after=told,
    )
    return file


_REASONS = {
    "infected": "The file contains malware.",
    "unscannable": "The file cannot be scanned completely, so nobody can say that it is clean.",
}


async def _end(
    tx: AsyncConnection, settings: Settings, version: RowMapping, values: dict[str, Any], file: RowMapping
) -> bool:
    if not await queries.end_version(tx, version["id"], values):
        # By another worker, while this one was thought to be gone.
        return False
    if version["number"] == file["version"]:
        await queries.change(tx, file["id"], {"status": values["status"]})
    await quota_queries.give_back(tx, file["owner_id"], version["size_bytes"])
    await removal.ask(tx, settings, quarantine=[quarantine_key(version["id"])])
    return True


async def _note(tx: AsyncConnection, version: RowMapping, verdict: Verdict) -> None:
    await verdict_queries.note(
        tx,
        {
            "sha256": version["sha256"],
            "word": verdict.word,
            "signature": verdict.signature,
            "engine": verdict.engine,
            "signatures": verdict.signatures,
            "limits_profile": PROFILE,
        },
    )


def _told(version: RowMapping, verdict: Verdict) -> dict[str, Any]:
    return {
        "version": version["number"],
        "sha256": version["sha256"].hex(),
        "signature": verdict.signature,
        "engine": verdict.engine,
        "signatures": verdict.signatures,
    }
