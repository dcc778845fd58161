"""The application factory: the whole wiring on one page."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from bilten.accounts import routes as accounts
from bilten.accounts.authentication import Authenticator
from bilten.accounts.passwords import PasswordHasher
from bilten.accounts.tokens import TokenIssuer
from bilten.articles import routes as articles
from bilten.db import migrations
from bilten.db.counters import ViewCounter
from bilten.db.database import Database
from bilten.db.errors import DatabaseUnavailable
from bilten.db.migration_errors import MigrationError
from bilten.events import routes as events
from bilten.events import search_routes as event_search
from bilten.files import picture_routes as pictures
from bilten.files import public_routes as public_files
from bilten.files import routes as files
from bilten.files import upload_routes as file_uploads
from bilten.idempotency.guard import guard
from bilten.mail import dev_pages
from bilten.mail.compose import Mailer
from bilten.objects.cdn import cdn_of
from bilten.objects.links import LinkSigner
from bilten.objects.probe import bucket_probe
from bilten.objects.store import ObjectStore
from bilten.scanning.workshop import Workshop
from bilten.services import Services
from bilten.settings import Settings
from bilten.web import cors, docs, headers, health, openapi, rate_limit, routing
from bilten.web.endpoint import Endpoint, endpoints_of
from bilten.web.keys import HEALTH, IDEMPOTENCY, LIMITER, SERVICES, SETTINGS, SPOOL, TOKENS
from bilten.web.limits import Limiter
from bilten.web.pagination import CursorCodec
from bilten.web.spool import Spool
from bilten.wishlist import routes as wishlist

#: How long to wait before trying again to prepare the schema of a database that is not there yet, in seconds.
SCHEMA_RETRY_S = 2.0

log = structlog.get_logger("bilten.app")


def all_endpoints() -> list[Endpoint]:
    """Everything the API serves, in the order of its documentation."""
    return endpoints_of(
        accounts, events, event_search, articles, wishlist, files, file_uploads, pictures, public_files, health
    )


def create_app(settings: Settings) -> web.Application:
    """The API, ready to be run by `bilten.web.server.ApiRunner`. Nothing is opened before it starts."""
    secret = settings.secret_key.get_secret_value()
    db = Database(settings)
    tokens = TokenIssuer(settings.token_keys.get_secret_value(), ttl_s=settings.access_token_ttl_s)
    services = Services(
        settings=settings,
        db=db,
        cursors=CursorCodec(secret),
        passwords=PasswordHasher(),
        tokens=tokens,
        views=ViewCounter(db),
        mailer=Mailer(settings),
        spool=Spool(settings.spool_dir, settings.spool_bytes, rooms_each=settings.uploads_at_once),
        workshop=Workshop(settings),
        links=LinkSigner(settings),
        cdn=cdn_of(settings),
        object_store=ObjectStore(settings) if settings.s3_endpoint else None,
    )
    app = web.Application(client_max_size=settings.max_json_bytes)
    app[SETTINGS] = settings
    app[SERVICES] = services
    app[TOKENS] = Authenticator(db, tokens)
    app[LIMITER] = Limiter()
    app[SPOOL] = services.spool
    app[IDEMPOTENCY] = guard(db, secret, at_once=settings.database_pool_size // 4)
    app[HEALTH] = health.Health()
    app[HEALTH].add("database", db.ping)
    if settings.s3_endpoint:
        app[HEALTH].add("object_store", bucket_probe(settings))

    # The order of refusals: preflight, the limit of requests a minute, 404 and 405, then what `dispatch` checks.
    cors.setup(app, origins=settings.cors_origins, outage_drops_cors=settings.outage_drops_cors)
    app.middlewares.append(rate_limit.limit_rate)
    headers.setup(app)

    endpoints = all_endpoints()
    routing.add(app, endpoints)
    docs.setup(app, lambda: openapi.document(endpoints))
    app.router.add_get("/metrics", health.metrics)
    if settings.dev_pages:
        dev_pages.setup(app, db)
    app.cleanup_ctx.append(_run)
    return app


async def _run(app: web.Application) -> AsyncIterator[None]:
    services: Services = app[SERVICES]
    async with contextlib.AsyncExitStack() as ending:
        await services.spool.open()
        ending.push_async_callback(services.spool.close)
        await services.db.open()
        ending.push_async_callback(services.db.close)
        ending.callback(services.passwords.close)
        ending.push_async_callback(services.workshop.close)
        ending.push_async_callback(services.cdn.close)
        if services.object_store:
            await services.object_store.open()
            ending.push_async_callback(services.object_store.close)
        ending.push_async_callback(services.views.flush)
        ending.push_async_callback(_end, asyncio.create_task(services.views.run()))
        if services.settings.auto_migrate:
            app[HEALTH].add("schema", _not_prepared, failing="is not prepared")
            tried = asyncio.Event()
            ending.push_async_callback(_end, asyncio.create_task(_prepare_schema(app, tried)))
            # A database that is there is prepared before the first request; one that is not is waited for beside them.
            if not isinstance(await app[HEALTH].of("database"), Exception):
                await tried.wait()
        yield


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _prepare_schema(app: web.Application, tried: asyncio.Event) -> None:
    """Migrate and seed, again and again until it is done; `tried` is set after the first time."""
    while True:
        try:
            await _migrate_and_seed(app[SERVICES])
        except DatabaseUnavailable as error:
            log.warning("schema_waits_for_database", reason=str(error))
        except MigrationError as error:
            # Waiting would not mend it, and serving on a schema of another version would do harm: /readyz stays 503.
            log.error("schema_not_prepared", reason=str(error))  # noqa: TRY400 the sentence says it all
            return
        except Exception:
            log.exception("schema_not_prepared", hint=f"It is tried again in {SCHEMA_RETRY_S:g} s; /readyz stays 503.")
        else:
            app[HEALTH].remove("schema")
            return
        finally:
            tried.set()
        await asyncio.sleep(SCHEMA_RETRY_S)


async def _migrate_and_seed(services: Services) -> None:
    url = services.settings.database_url.get_secret_value()
    applied = await asyncio.to_thread(migrations.upgrade, url)
    log.info("schema_ready", applied=len(applied))
    if services.settings.seed:
        from bilten.db import seeds  # noqa: PLC0415 production never loads the sample data

        inserted = await seeds.seed(services.db)
        log.info("sample_data_ready", inserted=sum(dataclasses.astuple(inserted)))


async def _not_prepared() -> None:
    raise RuntimeError("The schema is not prepared yet")
