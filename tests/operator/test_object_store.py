"""Buckets and accounts on real object stores: idempotent, marked, and no more than is needed."""

import base64
import uuid
from io import BytesIO
from typing import Any

import pytest
from bilten.local import ports
from bilten.local.objectstore import S3Address
from bilten_operator.cluster.object_store import MARK, ObjectStores
from bilten_operator.plan.model import DeleteBuckets, EnsureBuckets, Ref, StepName, StoreUser
from minio import Minio
from minio.commonconfig import Tags
from minio.error import S3Error

ADMIN = Ref("v1", "Secret", "app", "admin")
USER = Ref("v1", "Secret", "app", "user")


@pytest.fixture(params=["minio", "seaweedfs"])
def store(request: pytest.FixtureRequest) -> S3Address:
    return request.getfixturevalue("minio" if request.param == "minio" else "object_store")


class Case:
    """One instance's buckets on a store."""

    def __init__(self, store: S3Address) -> None:
        self.store = store
        self.names = tuple(f"b{uuid.uuid4().hex[:12]}-{part}" for part in ("quarantine", "media"))
        self.secrets = {ADMIN: (store.access_key, store.secret_key)}
        self.stores = ObjectStores(timeout_s=30)

    async def secret(self, ref: Ref) -> dict[str, Any] | None:
        if ref not in self.secrets:
            return None
        named = zip(("accessKey", "secretKey"), self.secrets[ref], strict=True)
        return {"data": {name: base64.b64encode(value.encode()).decode() for name, value in named}}

    async def ensure(self, owner: str = "uid-1", users: tuple[StoreUser, ...] = ()) -> str | None:
        action = EnsureBuckets(
            StepName.BUCKETS, "main", self.store.endpoint, "us-east-1", ADMIN, self.names, owner, users, "wanted"
        )
        return await self.stores.act(action, self.secret)

    async def remove(self, owner: str = "uid-1") -> str | None:
        action = DeleteBuckets("main", self.store.endpoint, "us-east-1", ADMIN, self.names, owner, "deleted")
        return await self.stores.act(action, self.secret)

    def client(self, ref: Ref = ADMIN) -> Minio:
        access, secret = self.secrets[ref]
        return Minio(
            self.store.endpoint.removeprefix("http://"), access_key=access, secret_key=secret, region="us-east-1",
            secure=False,
        )  # fmt: skip

    def there(self) -> list[bool]:
        return [self.client().bucket_exists(name) for name in self.names]


@pytest.fixture
def case(store: S3Address) -> Case:
    return Case(store)


async def test_buckets_are_made_marked_and_left_as_they_are(case: Case):
    assert await case.ensure() is None
    case.client().put_object(case.names[0], "file", BytesIO(b"x"), 1)
    assert await case.ensure() is None
    tags = case.client().get_bucket_tags(case.names[0])
    assert tags
    assert tags[MARK] == "uid-1"


async def test_a_bucket_that_is_marked_with_another_uid_is_refused(case: Case):
    assert await case.ensure("uid-2") is None
    problem = await case.ensure("uid-1")
    assert problem
    assert f"{case.names[0]} belongs to another instance, uid-2" in problem


async def test_an_empty_bucket_of_nobody_is_taken(case: Case):
    case.client().make_bucket(case.names[0])
    assert await case.ensure() is None


async def test_a_full_bucket_of_nobody_is_refused_until_it_is_marked(case: Case):
    case.client().make_bucket(case.names[0])
    case.client().put_object(case.names[0], "file", BytesIO(b"x"), 1)
    problem = await case.ensure()
    assert problem
    assert f"give it the tag {MARK}=uid-1" in problem
    tags = Tags.new_bucket_tags()
    tags[MARK] = "uid-1"
    case.client().set_bucket_tags(case.names[0], tags)
    assert await case.ensure() is None


async def test_tags_of_others_stay(case: Case):
    tags = Tags.new_bucket_tags()
    tags["cost-centre"] = "42"
    case.client().make_bucket(case.names[0])
    case.client().set_bucket_tags(case.names[0], tags)
    assert await case.ensure() is None
    assert case.client().get_bucket_tags(case.names[0]) == {"cost-centre": "42", MARK: "uid-1"}


async def test_own_buckets_are_emptied_and_removed_and_those_of_others_are_not(case: Case):
    await case.ensure()
    case.client().put_object(case.names[0], "folder/file", BytesIO(b"x"), 1)
    assert await case.remove("uid-2") is None
    assert case.there() == [True, True]
    assert await case.remove() is None
    assert await case.remove() is None
    assert case.there() == [False, False]


async def test_what_is_wrong_with_the_account_is_said_without_its_secret(case: Case):
    case.secrets[ADMIN] = (case.store.access_key, "not-the-secret-key")
    problem = await case.ensure()
    assert problem
    assert "not-the-secret-key" not in problem
    del case.secrets[ADMIN]
    assert await case.ensure() == "Secret admin is missing, or has not both accessKey and secretKey"


async def test_a_store_that_is_not_there_is_said_to_be_so():
    (port,) = ports.pick(1)
    case = Case(S3Address(f"http://127.0.0.1:{port}", "a", "b"))
    problem = await case.ensure()
    assert problem
    assert "does not answer as an object store" in problem


async def test_an_account_reaches_its_own_bucket_and_nothing_else(minio: S3Address):
    case = Case(minio)
    case.secrets[USER] = (f"user{uuid.uuid4().hex[:8]}", "a-secret-key")
    for _ in range(2):
        assert await case.ensure(users=(StoreUser(USER, (case.names[0],)),)) is None
    user = case.client(USER)
    user.put_object(case.names[0], "file", BytesIO(b"x"), 1)
    user.remove_object(case.names[0], "file")
    for forbidden in (
        lambda: user.put_object(case.names[1], "file", BytesIO(b"x"), 1),
        lambda: list(user.list_objects(case.names[1])),
        lambda: user.make_bucket("another"),
        lambda: user.set_bucket_policy(case.names[0], "{}"),
        lambda: user.remove_bucket(case.names[0]),
    ):
        with pytest.raises(S3Error, match="AccessDenied"):
            forbidden()


async def test_an_account_with_a_new_secret_key_is_given_it(minio: S3Address):
    case = Case(minio)
    name = f"user{uuid.uuid4().hex[:8]}"
    for secret in ("first-secret-key", "second-secret-key"):
        case.secrets[USER] = (name, secret)
        assert await case.ensure(users=(StoreUser(USER, case.names),)) is None
        case.client(USER).put_object(case.names[0], "file", BytesIO(b"x"), 1)
