"""Articles as admins write them."""

import asyncio
from typing import Any

import pytest
from fixtures.api import Api

BODY: dict[str, Any] = {
    "title": "Ünder the Brïdge!",
    "excerpt": "What happens at night",
    "content": "# Night\n" + "word " * 450,
    "category": "culture",
    "featuredImageUrl": "https://example.com/bridge.jpg",
    "tags": ["night", "bridge", "night"],
}


async def test_an_admin_publishes_an_article(api: Api):
    admin = await api.as_admin()
    reply = await api.post("/articles", json=BODY, token=admin)
    assert (reply.status, reply.json["success"]) == (201, True)
    article = reply.data["article"]
    assert (article["slug"], article["author"]) == ("under-the-bridge", "Salma Reda")
    assert (article["read_time"], article["tags"], article["view_count"]) == (2, ["night", "bridge"], 0)
    assert article["content"].startswith("# Night\nword")
    assert (await api.get("/articles")).data["articles"][0] == article


async def test_articles_of_one_title_have_slugs_of_their_own(api: Api):
    admin = await api.as_admin()
    replies = [await api.post("/articles", json=BODY, token=admin) for _ in range(3)]
    slugs = [reply.data["article"]["slug"] for reply in replies]
    assert slugs == ["under-the-bridge", "under-the-bridge-2", "under-the-bridge-3"]
    together = await asyncio.gather(*(api.post("/articles", json=BODY, token=admin) for _ in range(3)))
    assert {reply.status for reply in together} <= {201, 409}
    made = [reply.data["article"]["slug"] for reply in together if reply.status == 201]
    assert len(made) == len(set(made)) >= 1


@pytest.mark.parametrize(
    ("title", "slug"),
    [("قاهرة", "article"), ("!!!", "article"), ("  Cafe -- Olé  ", "cafe-ole"), ("x" * 255, "x" * 180)],
)
async def test_a_slug_is_made_of_latin_letters_and_digits(api: Api, title: str, slug: str):
    reply = await api.post("/articles", json=BODY | {"title": title}, token=await api.as_admin())
    assert reply.data["article"]["slug"] == slug


async def test_the_fields_that_are_sent_change_and_the_link_stays(api: Api):
    admin = await api.as_admin()
    article = (await api.post("/articles", json=BODY, token=admin)).data["article"]
    reply = await api.put(
        f"/articles/{article['slug']}",
        json={"title": "Over it", "content": "Short.", "featured_image_url": None, "category": None, "tags": []},
        token=admin,
    )
    assert reply.status == 200
    changed = reply.data["article"]
    assert (changed["title"], changed["read_time"], changed["featured_image_url"]) == ("Over it", 1, None)
    assert (changed["slug"], changed["category"], changed["tags"]) == (article["slug"], "culture", [])
    assert changed["published_at"] == article["published_at"]
    again = await api.put(f"/articles/{article['id']}", json={"title": "Over it"}, token=admin)
    assert again.data["article"] == changed


async def test_a_deleted_article_is_gone_and_its_slug_is_not_given_away(api: Api):
    admin = await api.as_admin()
    article = (await api.post("/articles", json=BODY, token=admin)).data["article"]
    reply = await api.delete(f"/articles/{article['id']}", token=admin)
    assert (reply.status, reply.json["success"]) == (200, True)
    for name in (article["id"], article["slug"]):
        assert (await api.get(f"/articles/{name}")).status == 404
        assert (await api.delete(f"/articles/{name}", token=admin)).status == 404
        assert (await api.put(f"/articles/{name}", json={}, token=admin)).status == 404
    assert (await api.get("/articles")).data["pagination"]["total"] == 6
    assert (await api.post("/articles", json=BODY, token=admin)).data["article"]["slug"] == "under-the-bridge-2"


async def test_only_admins_write(api: Api):
    refusals = {None: (401, "Authentication required")} | dict.fromkeys(
        (await api.as_user(), await api.as_organizer()), (403, "Admin access required")
    )
    for token, refusal in refusals.items():
        for reply in (
            await api.post("/articles", json=BODY, token=token),
            await api.put("/articles/1", json={"title": "x"}, token=token),
            await api.delete("/articles/1", token=token),
        ):
            assert (reply.status, reply.json["message"]) == refusal
    assert (await api.get("/articles/1")).data["article"]["title"] != "x"


async def test_what_is_counted_and_how_it_is_named_cannot_be_set(api: Api):
    forced = {"view_count": 9, "viewCount": 9, "slug": "mine", "id": "1", "read_time": 99, "published_at": "2001-01-01"}
    admin = await api.as_admin()
    article = (await api.post("/articles", json=BODY | forced, token=admin)).data["article"]
    assert (article["view_count"], article["slug"], article["read_time"]) == (0, "under-the-bridge", 2)
    assert not article["published_at"].startswith("2001")
    assert (await api.put(f"/articles/{article['id']}", json=forced, token=admin)).data["article"] == article


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("title", "  "), ("title", None), ("title", "x" * 256), ("content", ""), ("content", 5),
        ("content", "x" * 200_001), ("excerpt", "x" * 2001), ("category", "x" * 101), ("author", "x" * 201),
        ("featuredImageUrl", "javascript:alert(1)"), ("tags", "night"), ("tags", [""]), ("tags", ["x" * 51]),
        ("tags", [None]), ("tags", ["x"] * 51),
    ],
)  # fmt: skip
async def test_a_wrong_field_is_refused_by_name(api: Api, field: str, value: Any):
    reply = await api.post("/articles", json=BODY | {field: value}, token=await api.as_admin())
    assert (reply.status, reply.json["error"]) == (400, "VALIDATION_ERROR")
    assert {detail["field"].split(".")[0] for detail in reply.json["details"]} == {field}


async def test_each_change_of_an_article_is_on_the_audit_log(api: Api):
    admin = await api.as_admin()
    article = (await api.post("/articles", json=BODY, token=admin)).data["article"]
    await api.put(f"/articles/{article['id']}", json={"title": "Other"}, token=admin)
    await api.put(f"/articles/{article['id']}", json={"title": "Other"}, token=admin)
    await api.delete(f"/articles/{article['id']}", token=admin)
    rows = await api.db.fetch(
        "select action, before, after from audit_log where entity_id = $1 order by id", article["id"]
    )
    assert [row["action"] for row in rows] == ["article.create", "article.change", "article.delete"]
    assert (rows[1]["before"], rows[1]["after"]) == ({"title": "Ünder the Brïdge!"}, {"title": "Other"})
    assert rows[0]["after"]["tags"] == ["night", "bridge"]


async def test_a_repeated_key_makes_one_article(api: Api):
    admin = await api.as_admin()
    headers = {"Idempotency-Key": "the-same-click"}
    first, again = [await api.post("/articles", json=BODY, token=admin, headers=headers) for _ in range(2)]
    assert (again.status, again.json) == (201, first.json)
    assert (await api.get("/articles")).data["pagination"]["total"] == 7
