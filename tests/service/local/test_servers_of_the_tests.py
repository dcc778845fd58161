"""The two servers every other test stands on."""

import io
import uuid

import asyncpg
from bilten.local.objectstore import S3Address
from fixtures.servers import PostgresServer


async def test_the_database_server_lets_tests_make_databases(postgres_server: PostgresServer):
    name = f"made {uuid.uuid4()}"
    admin = await asyncpg.connect(postgres_server.url("postgres"))
    await admin.execute(f'CREATE DATABASE "{name}"')
    connection = await asyncpg.connect(postgres_server.url(name))
    assert await connection.fetchval("SELECT upper('č')") == "Č"
    await connection.close()
    await admin.execute(f'DROP DATABASE "{name}"')
    await admin.close()


def test_the_object_store_gives_back_what_was_put(object_store: S3Address):
    client = object_store.client()
    bucket = f"made-{uuid.uuid4()}"
    client.make_bucket(bucket)
    client.put_object(bucket, "name", io.BytesIO(b"content"), 7)
    with client.get_object(bucket, "name") as answer:
        assert answer.read() == b"content"
