"""Both spellings of every field, in any mixture."""

from typing import Any

import pytest
from bilten.accounts.schemas import RegisterBody
from bilten.web.spelling import Body
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic.alias_generators import to_camel


class Form(Body):
    first_name: str
    cover_image_url: str | None = None
    is_free: bool = False
    title: str = ""


@given(
    st.fixed_dictionaries(
        {"first_name": st.text()},
        optional={"cover_image_url": st.none() | st.text(), "is_free": st.booleans(), "title": st.text()},
    ),
    st.data(),
)
def test_each_field_is_read_under_either_name(values: dict[str, Any], data: st.DataObject):
    sent = {data.draw(st.sampled_from([name, to_camel(name)])): value for name, value in values.items()}
    assert Form.model_validate(sent) == Form.model_validate(values)


def test_snake_case_wins_when_both_are_sent():
    assert Form.model_validate({"firstName": "camel", "first_name": "snake"}).first_name == "snake"


def test_a_missing_field_is_named_in_snake_case():
    with pytest.raises(ValidationError) as refusal:
        Form.model_validate({})
    assert refusal.value.errors()[0]["loc"] == ("first_name",)


def test_text_is_not_taken_for_a_truth_value():
    with pytest.raises(ValidationError):
        Form.model_validate({"first_name": "a", "is_free": "yes"})


def _register(**fields: Any) -> RegisterBody:
    return RegisterBody.model_validate({"email": "ada@example.com", "password": "Secret1", **fields})


@pytest.mark.parametrize(
    ("sent", "first", "last"),
    [
        ({"name": "Ada Lovelace"}, "Ada", "Lovelace"),
        ({"name": " Ada  King Lovelace "}, "Ada", "King Lovelace"),
        ({"name": "Ada"}, "Ada", ""),
        ({"name": "Other Person", "firstName": "Ada", "lastName": "L"}, "Ada", "L"),
        ({"firstName": "Ada", "lastName": "Lovelace"}, "Ada", "Lovelace"),
        ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada", "Lovelace"),
    ],
)
def test_a_single_name_is_split_at_its_first_space(sent: dict[str, str], first: str, last: str):
    body = _register(**sent)
    assert (body.first_name, body.last_name) == (first, last)


@pytest.mark.parametrize("role", ["admin", "super_admin", "", None, 1])
def test_no_registration_asks_for_more_than_organizer(role: object):
    with pytest.raises(ValidationError):
        _register(firstName="Ada", role=role)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "a b@example.com",
        "ada@example.com\r\nBcc: x@y.z",
        "é@example.com",
        "a" * 250 + "@example.com",
    ],
)
def test_what_is_no_mail_address_is_refused(email: str):
    with pytest.raises(ValidationError):
        _register(firstName="Ada", email=email)


def test_addresses_are_stored_in_one_spelling():
    assert _register(firstName="Ada", email="  Ada@Example.COM ").email == "ada@example.com"
