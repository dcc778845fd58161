"""Pages, cursors, and the numbers about them."""

import math

import pytest
from bilten.web.errors import ValidationFailed
from bilten.web.pagination import MAX_LIMIT, CursorCodec, PageQuery, pagination
from hypothesis import given
from hypothesis import strategies as st

CODEC = CursorCodec("a secret of a test deployment, long enough")


@pytest.mark.parametrize("text", ["", "0", "-1", "abc", "1.5", "1e3", " 7", "٣", "None", "9" * 5000])
def test_a_page_that_is_no_positive_integer_is_the_first_of_ten(text: str):
    query = PageQuery.model_validate({"page": text, "limit": text})
    assert (query.page, query.limit) == (1, 10)


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_positive_numbers_are_taken_up_to_the_bounds(page: int, limit: int):
    query = PageQuery.model_validate({"page": str(page), "limit": str(limit)})
    assert query.limit == min(limit, MAX_LIMIT)
    assert query.page == min(page, 1_000_000)
    assert query.offset == (query.page - 1) * query.limit


@given(st.integers(0, 10**6), st.integers(1, 100), st.integers(1, 10**4))
def test_every_name_of_a_number_says_the_same(total: int, limit: int, page: int):
    shown = pagination(PageQuery(page=page, limit=limit), total=total, next_cursor=None)
    assert shown.pages == shown.totalPages == math.ceil(total / limit)
    assert shown.total == shown.totalItems == total
    assert shown.hasMore == (page < shown.pages)


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.integers(-(2**53), 2**53) | st.booleans() | st.none()),
)
def test_a_cursor_comes_back_as_it_was_given_out(scope: str, values: list[object]):
    assert CODEC.decode(scope, CODEC.encode(scope, values)) == values


@given(st.text(max_size=200))
def test_any_other_text_is_a_validation_error_and_nothing_else(text: str):
    with pytest.raises(ValidationFailed):
        CODEC.decode("events", text)


@given(st.data())
def test_a_cursor_with_one_character_changed_is_refused(data: st.DataObject):
    cursor = CODEC.encode("events", ["550e8400-e29b-41d4-a716-446655440000", 5])
    place = data.draw(st.integers(0, len(cursor) - 2))  # the last character may carry unused bits only
    other = data.draw(st.sampled_from("abcXYZ019_-").filter(lambda c: c != cursor[place]))
    with pytest.raises(ValidationFailed):
        CODEC.decode("events", cursor[:place] + other + cursor[place + 1 :])


def test_a_cursor_is_worth_nothing_on_another_list_or_deployment():
    cursor = CODEC.encode("events", [1])
    with pytest.raises(ValidationFailed):
        CODEC.decode("articles", cursor)
    with pytest.raises(ValidationFailed):
        CursorCodec("the secret of some other deployment!").decode("events", cursor)
