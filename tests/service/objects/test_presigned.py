"""What a browser is given: it uploads that object and no other, and reads that object until then."""

import asyncio
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from bilten.local.objectstore import S3Address
from bilten.objects.errors import NoSuchObject
from bilten.objects.presign import PostForm
from support.buckets import Bucket, OpenBucket

HOUR = timedelta(hours=1)


async def post(
    form: PostForm, content: bytes = b"12345", *, media_type: str | None = None, without: str = "", **fields: str
) -> int:
    """Upload as a browser does; returns the status."""
    sent = aiohttp.FormData()
    for name, value in {**form.fields, **{name.replace("_", "-"): value for name, value in fields.items()}}.items():
        if name != without:
            sent.add_field(name, value)
    sent.add_field("file", content, filename="x.png", content_type=media_type or form.fields["Content-Type"])
    headers = {"Origin": "http://localhost:3000"}
    async with aiohttp.ClientSession() as session, session.post(form.url, data=sent, headers=headers) as answer:
        return answer.status


def form_of(bucket: Bucket, *, sizes: tuple[int, int] = (5, 5), expires: timedelta = HOUR) -> PostForm:
    return bucket.store.presign_post(
        bucket.name, "direct/one", size_range=sizes, media_type="image/png", expires=expires
    )


async def keys(bucket: Bucket) -> list[str]:
    return [found.key async for found in bucket.store.walk(bucket.name)]


async def test_the_form_uploads_that_object_with_its_type(bucket: Bucket):
    form = form_of(bucket)
    assert await post(form) in {200, 201, 204}
    found = await bucket.store.stat(bucket.name, "direct/one")
    assert (found.size, found.media_type) == (5, "image/png")
    assert abs(form.expires_at - datetime.now(UTC) - HOUR) < timedelta(seconds=30)


@pytest.mark.parametrize("content", [b"", b"1234", b"123456", bytes(100_000)])
async def test_a_file_of_another_size_is_refused(bucket: Bucket, content: bytes):
    assert await post(form_of(bucket), content) in {400, 403, 413}
    assert await keys(bucket) == []


@pytest.mark.parametrize(
    ("without", "changed"),
    [
        ("", {"key": "direct/two"}),
        ("", {"key": "direct/one/more"}),
        ("", {"Content_Type": "text/html"}),
        ("Content-Type", {}),
        ("policy", {}),
        ("x-amz-signature", {}),
        ("", {"x_amz_signature": "0" * 64}),
        ("", {"x_amz_credential": "another/20260101/us-east-1/s3/aws4_request"}),
        ("", {"x_amz_date": "20300101T000000Z"}),
    ],
)
async def test_a_form_that_was_changed_is_refused(bucket: Bucket, without: str, changed: dict[str, str]):
    assert await post(form_of(bucket), without=without, **changed) in {400, 403}
    assert await keys(bucket) == []


async def test_a_policy_that_was_changed_is_refused(bucket: Bucket):
    form = form_of(bucket)
    policy = json.loads(b64decode(form.fields["policy"]))
    policy["conditions"] = [
        ["content-length-range", 0, 10**9] if condition[0] == "content-length-range" else condition
        for condition in policy["conditions"]
    ]
    assert await post(form, bytes(100), policy=b64encode(json.dumps(policy).encode()).decode()) == 403
    assert await keys(bucket) == []


async def test_a_form_of_another_bucket_is_refused(bucket: Bucket, open_bucket: OpenBucket):
    other = await open_bucket(bucket.address)
    form = form_of(bucket)
    moved = PostForm(form.url.replace(bucket.name, other.name), form.fields, form.expires_at)
    assert await post(moved) in {400, 403}
    assert await keys(other) == []


async def test_a_form_is_refused_once_it_has_expired(bucket: Bucket):
    form = form_of(bucket, expires=timedelta(seconds=1))
    await asyncio.sleep(2.1)
    assert await post(form) in {400, 403}
    assert await keys(bucket) == []


async def test_a_browser_of_another_origin_may_read_what_the_store_says(bucket: Bucket):
    form = form_of(bucket)
    asked = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
    async with aiohttp.ClientSession() as session, session.options(form.url, headers=asked) as answer:
        assert answer.status in {200, 204}
        assert answer.headers["Access-Control-Allow-Origin"] in {"*", "http://localhost:3000"}


async def test_it_is_signed_for_where_browsers_reach_the_store(object_store: S3Address, open_bucket: OpenBucket):
    bucket = await open_bucket(object_store, s3_public_endpoint="https://files.example.org")
    form = form_of(bucket)
    assert form.url == f"https://files.example.org/{bucket.name}"
    with pytest.raises(NoSuchObject):
        await bucket.store.stat(bucket.name, "direct/one")
    assert form.fields["x-amz-signature"] not in repr(form)
