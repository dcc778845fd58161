"""The sample data is what the contract promises, and seeding twice changes nothing that somebody changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from bilten.db.database import Database
from bilten.db.seeds import SeedCounts, rows, seed
from bilten.samples import ACCOUNTS
from sqlalchemy import event, text

NOTHING = SeedCounts(accounts=0, events=0, ticket_types=0, articles=0)


async def _do(db: Database, statement: str) -> None:
    async with db.transaction() as tx:
        await tx.execute(text(statement))


async def test_seeding_again_asks_five_questions_and_inserts_nothing(database: Database):
    """Every start in development pays for it; a hash of a password would cost more than all of them."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    async with database.transaction() as tx:
        event.listen(tx.sync_connection, "before_cursor_execute", note)
        assert await seed(database) == NOTHING
    assert [statement.split()[0] for statement in sent] == ["SELECT"] * 4 + ["UPDATE"]


@pytest.mark.parametrize(("email", "password", "role"), [account[:3] for account in ACCOUNTS])
async def test_the_accounts_can_sign_in(database: Database, email: str, password: str, role: str):
    row = await database.fetchrow("select * from users where email = $1", email)
    assert row is not None
    assert PasswordHasher().verify(row["password_hash"], password)
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (row["role"], row["is_verified"], row["created_at"]) == (role, True, datetime(2024, 1, 1, tzinfo=UTC))


async def test_the_events_of_the_frontend_are_there_in_its_order(database: Database):
    events = await database.fetch("select * from events order by created_at")
    known = [event["legacy_id"] or int(str(event["id"])[-3:]) for event in events[:25]]
    assert known == [*range(101, 106), *range(6, 26)]
    assert [str(event["id"])[-3:] for event in events[25:32]] == [str(number) for number in range(106, 113)]
    assert {event["status"] for event in events} == {"published"}
    assert {event["timezone"] for event in events} == {"Africa/Cairo"}

    first, last = events[0], events[24]
    assert (first["category"], first["start_date"], first["end_date"], first["max_attendees"], first["base_price"]) == (
        "deep-techno",
        datetime(2025, 3, 15, 21, tzinfo=UTC),
        datetime(2025, 3, 16, 3, tzinfo=UTC),
        2500,
        1500,
    )
    assert (last["category"], last["end_date"], last["base_price"]) == (
        "industrial-hardcore",
        datetime(2025, 8, 1, 4, tzinfo=UTC),
        1600,
    )


async def test_every_event_sells_the_codes_the_frontend_knows(database: Database):
    kinds = await database.fetch(
        """
        select code, count(*) as events, bool_and(price = factor * base_price) as priced, min(max_per_order) as at_most
        from ticket_types join events on events.id = event_id
        join (values ('general', 1), ('standing', 1), ('vipStanding', 1.5), ('backStage', 2)) f (kind, factor)
            on code = kind
        group by code
        """
    )
    assert {kind["code"]: (kind["events"], kind["priced"], kind["at_most"]) for kind in kinds} == {
        "general": (33, True, 10),
        "standing": (33, True, 4),
        "vipStanding": (33, True, 2),
        "backStage": (33, True, 1),
    }
    assert await database.fetchval("select count(*) from ticket_types where code = 'general' and quantity = 100") == 33


async def test_the_basket_finds_its_two_ticket_types(database: Database):
    basket = await database.fetch(
        "select id, event_id, name, price from ticket_types where code is null order by price"
    )
    assert [(str(row["id"])[-3:], str(row["event_id"])[-3:], row["name"], row["price"]) for row in basket] == [
        ("201", "101", "General Admission", 25),
        ("205", "102", "VIP Access", 75),
    ]


async def test_the_articles_are_there_newest_first(database: Database):
    articles = await database.fetch("select * from articles order by published_at desc")
    assert [(a["legacy_id"], a["view_count"], a["read_time"]) for a in articles] == [
        (1, 2850, 8),
        (2, 1890, 6),
        (3, 3200, 10),
        (4, 4500, 7),
        (5, 2100, 9),
        (6, 1750, 8),
    ]
    assert all("\n" in article["content"] and article["tags"] for article in articles)


async def test_an_event_runs_right_now(database: Database):
    running = await database.fetch("select id from events where start_date < now() and end_date > now()")
    assert [row["id"] for row in running] == [rows.event_id(rows.LIVE_EVENT)]


async def test_the_running_event_starts_anew_only_when_it_is_over(database: Database):
    live = rows.event_id(rows.LIVE_EVENT)
    dates = "select start_date, end_date from events where id = $1"
    await _do(database, "update events set start_date = start_date - interval '1 min' where title like 'Open House%'")
    before = await database.fetchrow(dates, live)
    await seed(database)
    assert await database.fetchrow(dates, live) == before

    await _do(database, "update events set start_date = start_date - interval '9 h' where title like 'Open House%'")
    await _do(database, "update events set title = 'Mine', end_date = now() where title like 'Open House%'")
    await seed(database)
    row = await database.fetchrow("select * from events where id = $1", live)
    assert row is not None
    assert row["start_date"] < datetime.now(UTC) < row["end_date"]
    assert row["end_date"] - row["start_date"] == timedelta(hours=6)
    assert row["title"] == "Mine"


async def test_what_a_user_changed_stays(database: Database):
    await _do(database, "update users set password_hash = 'changed', email = 'me@example.com' where legacy_id = 3")
    await _do(database, "update events set title = 'Edited', deleted_at = now() where legacy_id = 6")
    await _do(database, "delete from ticket_types where code = 'backStage'")
    await _do(database, "update articles set content = 'Edited' where legacy_id = 1")
    assert await seed(database) == NOTHING
    assert await database.fetchval("select password_hash from users where legacy_id = 3") == "changed"
    assert await database.fetchval("select title from events where legacy_id = 6") == "Edited"
    assert await database.fetchval("select content from articles where legacy_id = 1") == "Edited"


async def test_what_is_missing_comes_back_to_its_owner(database: Database):
    await _do(database, "update users set email = 'me@example.com' where legacy_id = 3")
    await _do(database, "delete from events where legacy_id = 6")
    assert await seed(database) == SeedCounts(accounts=0, events=1, ticket_types=4, articles=0)
    owner = await database.fetchval("select organizer_id from events where legacy_id = 6")
    assert owner == await database.fetchval("select id from users where legacy_id = 3")


async def test_an_address_that_somebody_took_before_is_respected(database: Database):
    await _do(database, "truncate users, events, articles cascade")
    await _do(database, "insert into users (email, password_hash, first_name, last_name) "
                        "values ('organizer@bilten.com', 'theirs', 'A', 'B')")  # fmt: skip
    counts = await seed(database)
    assert (counts.accounts, counts.events) == (2, 33)
    assert await database.fetchval("select password_hash from users where email = 'organizer@bilten.com'") == "theirs"
