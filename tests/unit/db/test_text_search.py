"""Searches as SQL conditions: text stays a value, whatever is in it."""

import re

from bilten.db.statement import Arguments
from bilten.db.text_search import MAX_WORDS, containing_all
from hypothesis import given
from hypothesis import strategies as st

CONDITION = re.compile(r"false|t like lower\(\$\d+\)|\(t like lower\(\$\d+\)( or t like lower\(\$\d+\)){2}\)")


def conditions(text: str) -> tuple[list[str], list[str]]:
    arguments = Arguments(["before"])
    return containing_all("t", text, arguments), arguments.values[1:]


def test_every_word_must_be_found_anywhere():
    assert conditions(" Jazz,2025 ") == (["t like lower($2)", "t like lower($3)"], ["%Jazz%", "%2025%"])


def test_a_short_word_is_found_where_a_word_begins():
    found, values = conditions("dj")
    assert (found, values) == (
        ["(t like lower($2) or t like lower($3) or t like lower($4))"],
        ["dj%", "% dj%", "%\ndj%"],
    )


def test_signs_alone_find_nothing_and_between_words_do_not_count():
    assert conditions("% _ & -") == conditions("") == (["false"], [])
    assert conditions("jazz & soul") == conditions("jazz soul")


def test_numbers_that_are_no_digits_are_signs():
    assert conditions("²²² ½½½ ①②③") == (["false"], [])
    assert conditions("m²²²") == (["(t like lower($2) or t like lower($3) or t like lower($4))"],
                                  ["m²²²%", "% m²²²%", "%\nm²²²%"])  # fmt: skip


def test_wildcards_are_taken_literally():
    assert conditions("50%_off\\")[1] == ["%50\\%\\_off\\\\%"]


@given(st.text())
def test_no_search_gets_into_the_statement(text: str):
    found, values = conditions(text)
    assert 1 <= len(found) <= MAX_WORDS
    assert all(CONDITION.fullmatch(condition) for condition in found), found
    assert sum(condition.count("$") for condition in found) == len(values)
