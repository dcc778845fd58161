"""The interpreter of the contract's texts sees what is wrong, and fails on what it was never taught."""

from typing import Any

import pytest
from contract import objects, shapes
from contract.catalogue import CALLS, SERVED
from contract.places import MISSING, find, spelled_out
from contract.shapes import Seen, UnknownText, problems

ID = "550e8400-e29b-41d4-a716-446655440101"


def test_all_calls_of_the_contract_are_there():
    assert len(CALLS) == 144
    assert len([call for call in CALLS if call.tier == "M"]) == 17
    assert len(SERVED) == 43


def test_a_text_that_nobody_taught_is_an_error_not_a_pass():
    with pytest.raises(UnknownText, match="a colour"):
        problems({"data.paint": "a colour"}, Seen({"data": {"paint": "red"}}))
    with pytest.raises(UnknownText):
        problems({"data.paint": "string (in Latin)"}, Seen({"data": {"paint": "red"}}))
    with pytest.raises(UnknownText):
        problems({"data.paint": "a colour"}, Seen({}))


@pytest.mark.parametrize("call", SERVED.values(), ids=lambda call: call.key)
def test_every_text_of_the_served_calls_is_understood(call: Any):
    # An empty answer has every field missing, and each text is looked up before that is said.
    found, _ = problems(call.fields, Seen({}, query={"eventIds": ID}, sent={"title": "x"}))
    assert found or "success" in call.fields or "(2xx)" in call.fields


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("string", ["", "a"], [None, 1, ["a"]]),
        ("string | null (navbar)", [None, "a"], [1]),
        ("string (uuid) | integer", [ID, 7], ["7", "abc", None, True, 1.5]),
        ("integer", [0, 7], [7.0, "7", True, None]),
        ("number, not a string", [1, 1.5], ["1.5", None, float("nan"), True]),
        ("boolean", [True, False], [0, 1, "true", None]),
        ("true", [True], [False, 1, "true", None]),
        ("[string]", [[], ["a"]], ["a", [1], None]),
        ("ISO 8601 string, Z", ["2025-03-15T21:00:00Z", "2025-03-15T21:00:00.5Z"],
         ["2025-03-15T21:00:00+00:00", "2025-03-15", "2025-13-15T21:00:00Z", None]),
        ("ISO 8601 with zone; never null", ["2025-03-15T21:00:00+02:00"], ["2025-03-15T21:00:00", None]),
        ("IANA name, never null", ["Africa/Cairo", "UTC"], ["Cairo", "EET-2", None]),
        ("ISO 4217 code or absent, never null", ["EGP"], ["$", "egp", ""]),
        ("'draft' | 'published'", ["draft"], ["other", None]),
        ("string, the JWT", ["a.b.c"], ["mock_jwt_token_1_2", "a.b", ""]),
        ("{text, type: event | category, count?}",
         [{"text": "a", "type": "event"}, {"text": "a", "type": "category", "count": 1}],
         [{"text": "a"}, {"text": 1, "type": "event"}, {"text": "a", "type": "x"},
          {"text": "a", "type": "event", "count": None}]),
        ("[{price: number, ...}] cheapest first (event search and calendar show tickets[0].price, 'Free' when empty)",
         [[], [{"price": 1}, {"price": 2.5}]], [[{"price": 2}, {"price": 1}], [{"price": "1"}]]),
    ],
)  # fmt: skip
def test_each_text_lets_the_right_values_through_and_no_other(text: str, right: list[Any], wrong: list[Any]):
    for value in right:
        assert problems({"data.x": text}, Seen({"data": {"x": value}}))[0] == [], value
    for value in wrong:
        assert _complains(text, value), value


def _complains(text: str, value: Any) -> bool:
    try:
        return problems({"data.x": text}, Seen({"data": {"x": value}}))[0] != []
    except (ValueError, TypeError):
        return True


def test_a_missing_field_is_told_with_its_place():
    found, _ = problems({"data.events[].id, title": "string"}, Seen({"data": {"events": [{"id": "a"}]}}))
    assert found == ["data.events[0].title is missing; it must be: string"]


def test_a_list_that_is_empty_proves_nothing():
    assert problems({"data.events[].id": "string"}, Seen({"data": {"events": []}})) == ([], set())


def test_fields_that_must_equal_others_are_compared():
    pagination = {"page": 2, "limit": 10, "total": 21, "pages": 3, "totalPages": 2}
    fields = {
        "data.pagination.page": "integer, as asked (default 1)",
        "data.pagination.pages": "integer, ceil(total / limit)",
        "data.pagination.totalPages": "= pages (event search, news, my tickets)",
    }
    found, _ = problems(fields, Seen({"data": {"pagination": pagination}}))
    assert [problem.split()[0] for problem in found] == ["data.pagination.page", "data.pagination.totalPages"]


def test_what_was_sent_must_come_back_under_its_canonical_name_and_type():
    fields = {"data.event.<each field sent>": "echoed with its type"}
    sent = {"venueName": "Hall", "basePrice": "12.50", "startDate": "2030-01-01T20:00"}
    good = {"venue_name": "Hall", "base_price": 12.5, "start_date": "2030-01-01T18:00:00Z", "timezone": "Africa/Cairo"}
    assert problems(fields, Seen({"data": {"event": good}}, sent=sent))[0] == []
    for wrong in ({"base_price": "12.50"}, {"venue_name": "hall"}, {"start_date": "2030-01-01T20:00:00Z"}):
        assert problems(fields, Seen({"data": {"event": good | wrong}}, sent=sent))[0], wrong


def test_joint_names_share_the_beginning_of_the_first():
    assert spelled_out("data.events[].id, title") == ["data.events[].id", "data.events[].title"]
    assert spelled_out("title, ticketTypes[].price") == ["title", "ticketTypes[].price"]


def test_a_path_ends_where_the_answer_does():
    assert [place.value for place in find("a[].b", {"a": [{"b": 1}, {}]})] == [1, MISSING]
    assert [place.value for place in find("a[0].b", {"a": []})] == [MISSING]
    assert [place.value for place in find("a[]", {"a": "text"})] == [MISSING]


def test_an_object_with_an_unknown_member_is_an_error_not_a_pass():
    with pytest.raises(KeyError, match="flavour"):
        objects.problems("{flavour}", {"flavour": "mint"})
    assert objects.problems("{categories[{category, count}]}", {"categories": [{"category": "a", "count": "1"}]}) == [
        "categories: count is '1'"
    ]


def test_every_remark_that_is_ignored_occurs_in_the_contract():
    said = " ".join(text for call in SERVED.values() for text in call.fields.values())
    assert [remark for remark in shapes._REMARKS if f"({remark})" not in said] == []  # noqa: SLF001
