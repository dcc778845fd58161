"""One line of text: what it keeps, what it drops, and what it refuses."""

import re
import unicodedata
from typing import Annotated

import pytest
from bilten.web.text import ImageUrl, Line, chosen
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

NAME = TypeAdapter(Annotated[str, Line(at_most=100)])
PHONE = TypeAdapter(Annotated[str, Line(at_most=32, required=False)])
URL = TypeAdapter(ImageUrl)

TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
#: Ordinary text, and more of the odd signs than chance would bring.
ODD = "\n\t\0\x1b\x85\u2028\u202e\u2066\u2069\u200d\u200f\u00ad\ufeff \u3000"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(ODD))


def read(kind: TypeAdapter[str], text: str) -> str | None:
    """What is kept of the text; None when it is refused."""
    try:
        return kind.validate_python(text)
    except ValidationError:
        return None


def turns(sign: str) -> bool:
    return unicodedata.bidirectional(sign) in TURNING


@given(TEXTS)
def test_what_is_kept_is_one_trimmed_line_without_signs_that_turn_it(text: str):
    if (kept := read(PHONE, text)) is not None:
        assert kept == "".join(sign for sign in text if not turns(sign)).strip()
        assert not {unicodedata.category(sign) for sign in kept} & {"Cc", "Zl", "Zp"}


@given(TEXTS)
@example("A\n")
def test_the_document_says_of_every_text_what_the_service_does(text: str):
    for kind in (NAME, PHONE):
        schema = kind.json_schema()
        fits = schema.get("minLength", 0) <= len(text) <= schema["maxLength"] and re.fullmatch(schema["pattern"], text)
        assert (read(kind, text) is not None) == bool(fits), schema


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=100))
def test_a_name_without_spaces_and_signs_of_control_is_kept_as_it_is(name: str):
    assert read(NAME, name) == name


@pytest.mark.parametrize("name", ["می‌خواهم", "क्‍ष", "A\u200fB", "O'Neil-Ḥasan", "李小龍", "👩‍👩‍👧"])
def test_names_of_every_script_keep_their_joiners_and_marks(name: str):
    assert read(NAME, name) == name


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("\u202eadmin\u202c", "admin"), ("\u2067Ada\u2069 ", "Ada"), ("\u202a+20 100 200\u202c", "+20 100 200")],
)
def test_signs_that_turn_the_direction_are_dropped(typed: str, kept: str):
    assert read(NAME, typed) == kept


@pytest.mark.parametrize("text", ["Ada\nLovelace", "Ada\0", "\x1b[31mAda", "a\u2028b", "a\x85b"])
def test_signs_that_break_a_line_or_control_a_terminal_are_refused(text: str):
    assert read(NAME, text) is None


@pytest.mark.parametrize("text", ["", "  ", "\u202e", "\u200b\u200d", "\ufeff \u00ad"])
def test_a_required_line_can_be_seen(text: str):
    assert read(NAME, text) is None
    assert read(PHONE, text) is not None


@pytest.mark.parametrize(("text", "wanted"), [("all", None), (" ALL ", None), ("", None), (None, None), (" Ja", "Ja")])
def test_all_is_no_filter(text: str | None, wanted: str | None):
    assert chosen(text) == wanted


@pytest.mark.parametrize(
    ("typed", "kept"), [("https://example.com/a.jpg", "https://example.com/a.jpg"), ("/a.png ", "/a.png"), ("", None)]
)
def test_an_image_has_an_address_that_a_page_may_show(typed: str, kept: str | None):
    assert URL.validate_python(typed) == kept


@pytest.mark.parametrize("typed", ["javascript:alert(1)", "data:image/png;base64,AA", "https://a b", "a.jpg"])
def test_an_image_has_no_address_that_runs_or_leads_nowhere(typed: str):
    assert read(URL, typed) is None
