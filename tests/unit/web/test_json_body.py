"""The strict JSON reader against what hostile and broken clients send (attack list G)."""

import json

import pytest
from bilten.web.json_body import MAX_DEPTH, InvalidJSON, check
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": {"b": 1, "b": 1}}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e400}', "double"),
        (b'{"a": -1e400}', "double"),
        (b'{"a": 1' + b"0" * 400 + b"}", "double"),
        (b'{"a": 1' + b"0" * 100_000 + b"}", "double"),
        (b'{"a": 2' + b"0" * 308 + b"}", "double"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'{"a": "x\\u0000y"}', "NUL"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b"[" * 100_000, "more than 10000 values"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "deeper than 64"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "deeper than 64"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" + b"[]," * 10_000 + b"0]", "more than 10000 values"),
        (b'{"a": [' + b'{"b": 1},' * 6000 + b"0]}", "more than 10000 values"),
        (b"[" + b"0," * 300_000, "more than 10000 values"),
        (b'"' + b'\\"' * 300_000, "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": 1} x', "not valid JSON"),
        (b'{"a": "\n"}', "not valid JSON"),
    ],
)
def test_what_a_database_could_not_keep_is_refused_with_a_reason(text: bytes, reason: str):
    with pytest.raises(InvalidJSON, match=reason):
        check(text)


def test_nesting_up_to_the_limit_is_read():
    assert check(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None


def test_a_reason_never_repeats_what_was_sent():
    with pytest.raises(InvalidJSON) as refusal:
        check(b'{"password": "hunter2", "password": "hunter3"}')
    assert "hunter" not in str(refusal.value)


_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**300), 10**300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(_texts, children, max_size=4),
    max_leaves=20,
)


@given(_values)
def test_ordinary_json_is_read_as_the_standard_library_reads_it(value: object):
    assert check(json.dumps(value).encode()) == value


def test_a_long_text_full_of_commas_is_one_value():
    text = 'a, [b], {c} \\ "q" ' * 20_000
    assert check(json.dumps({"content": text}).encode()) == {"content": text}
