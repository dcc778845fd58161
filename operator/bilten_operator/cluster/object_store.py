"""Buckets on any server that speaks S3, and accounts on a MinIO.

A bucket carries a tag that says whose it is. One that carries another's is refused; one without is taken when it is
empty, as is one that was made by an operator which was killed before it could mark it.
"""

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError

import urllib3
from minio import Minio
from minio.commonconfig import Tags
from minio.credentials.providers import StaticProvider
from minio.deleteobjects import DeleteObject
from minio.error import MinioAdminException, MinioException, S3Error
from minio.minioadmin import MinioAdmin

from bilten_operator.cluster.store_http import StoreHttp
from bilten_operator.plan.model import Action, DeleteBuckets, EnsureBuckets, Ref

#: S3 allows letters, digits and + - = . _ : / @ in the name of a tag.
MARK = "bilten.io/owner"

#: Of each wait for an answer.
TIMEOUT_S = 10.0
#: Of an action, which makes a handful of requests; deleting many files goes on where it ended.
TOTAL_S = 60.0
_LONGEST_MESSAGE = 1024
#: Actions under way at once, each in a thread.
AT_ONCE = 8

Object = dict[str, Any]
Secrets = Callable[[Ref], Awaitable[Object | None]]


class Problem(Exception):
    """Why an action cannot be done now, in a sentence without secrets."""


class ObjectStores:
    """Does the actions of plans."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S, total_s: float = TOTAL_S) -> None:
        self._timeout_s = timeout_s
        self._total_s = total_s
        self._slots = asyncio.Semaphore(AT_ONCE)
        # MinIO has what is secret encrypted with a key whose derivation takes 64 MiB each time.
        self._encrypting = threading.Lock()

    async def act(self, action: Action, secrets: Secrets) -> str | None:
        """Do it. The sentence that says why not, or None."""
        try:
            account = await _account(secrets, action.credentials)
            users: list[tuple[tuple[str, str], tuple[str, ...]]] = []
            if isinstance(action, EnsureBuckets):
                users = [(await _account(secrets, user.secret), user.buckets) for user in action.users]
            async with self._slots:
                await asyncio.to_thread(self._do, action, account, users)
        except Problem as problem:
            return str(problem)
        except S3Error as error:
            return f"{action.endpoint} says {error.code}: {error.message}"[:_LONGEST_MESSAGE]
        except MinioAdminException as error:
            return f"{action.endpoint} refused an account: {_admin_words(error)}"[:_LONGEST_MESSAGE]
        except (MinioException, urllib3.exceptions.HTTPError, OSError, ValueError, ParseError) as error:
            return f"{action.endpoint} does not answer as an object store: {type(error).__name__}"
        return None

    def _do(
        self, action: Action, account: tuple[str, str], users: list[tuple[tuple[str, str], tuple[str, ...]]]
    ) -> None:
        address = urlsplit(action.endpoint)
        secure = address.scheme == "https"
        with StoreHttp(timeout_s=self._timeout_s, total_s=self._total_s) as pool:
            store = Minio(
                address.netloc, access_key=account[0], secret_key=account[1], region=action.region, secure=secure,
                http_client=pool,
            )  # fmt: skip
            if isinstance(action, DeleteBuckets):
                for bucket in action.buckets:
                    _remove(store, bucket, action.owner)
                return
            for bucket in action.buckets:
                _ensure(store, bucket, action.owner, action.region)
            if users:
                admin = MinioAdmin(
                    endpoint=address.netloc, credentials=StaticProvider(*account), region=action.region, secure=secure,
                    http_client=pool,
                )  # fmt: skip
                for (access, secret), buckets in users:
                    policy = f"bilten-{hashlib.sha256(' '.join(buckets).encode()).hexdigest()[:16]}"
                    admin.policy_add(policy, policy=policy_of(buckets))
                    with self._encrypting:
                        admin.user_add(access, secret)
                    admin.policy_set(policy, user=access)


def policy_of(buckets: tuple[str, ...]) -> Object:
    """Read, write, list and delete in these buckets; nothing else."""
    arns = [f"arn:aws:s3:::{bucket}" for bucket in buckets]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
                "Resource": arns,
            },
            {
                "Effect": "Allow",
                "Action": [
                    "s3:GetObject",
                    "s3:PutObject",
                    "s3:DeleteObject",
                    "s3:AbortMultipartUpload",
                    "s3:ListMultipartUploadParts",
                ],
                "Resource": [f"{arn}/*" for arn in arns],
            },
        ],
    }


def _ensure(store: Minio, bucket: str, owner: str, region: str) -> None:
    try:
        if not store.bucket_exists(bucket):
            store.make_bucket(bucket, location=region)
    except S3Error as error:
        if error.code == "AccessDenied":
            raise Problem(f"the bucket {bucket} is another account's, or this account may not make it") from None
        if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
            raise
    mark = _mark(store, bucket)
    if mark == owner:
        return
    if mark is not None:
        raise Problem(f"the bucket {bucket} belongs to another instance, {mark}: it is marked with the tag {MARK}")
    if next(iter(store.list_objects(bucket)), None) is not None:
        raise Problem(
            f"the bucket {bucket} has objects in it and no owner: to hand it over, give it the tag {MARK}={owner}"
        )
    tags = store.get_bucket_tags(bucket) or Tags.new_bucket_tags()
    tags[MARK] = owner
    store.set_bucket_tags(bucket, tags)


def _remove(store: Minio, bucket: str, owner: str) -> None:
    try:
        if not store.bucket_exists(bucket) or _mark(store, bucket) != owner:
            return
        found = store.list_objects(bucket, recursive=True, include_version=True)
        named = (DeleteObject(item.object_name or "", item.version_id) for item in found)
        for problem in store.remove_objects(bucket, named):
            raise Problem(f"an object in the bucket {bucket} cannot be deleted: {problem.code}")
        store.remove_bucket(bucket)
    except S3Error as error:
        if error.code != "NoSuchBucket":
            raise


def _mark(store: Minio, bucket: str) -> str | None:
    tags = store.get_bucket_tags(bucket)
    return tags.get(MARK) if tags else None


async def _account(secrets: Secrets, ref: Ref) -> tuple[str, str]:
    found = await secrets(ref)
    data = (found or {}).get("data") or {}
    try:
        access, secret = (base64.b64decode(data[key]).decode().strip() for key in ("accessKey", "secretKey"))
    except (KeyError, ValueError):
        raise Problem(f"Secret {ref.name} is missing, or has not both accessKey and secretKey") from None
    return access, secret


def _admin_words(error: MinioAdminException) -> str:
    try:
        return str(json.loads(error._body)["Message"])  # noqa: SLF001 - it has no other way to ask
    except (AttributeError, ValueError, KeyError, TypeError):
        return "it does not say why"
