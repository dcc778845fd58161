"""Texts in any script are found, and by the index."""

import sys
import unicodedata

import pytest
from bilten.db.database import Database
from bilten.db.statement import Arguments
from bilten.db.text_search import containing_all


@pytest.mark.parametrize("word", ["مهرجان", "Étoile", "Пирамида", "東京ライブ"])
async def test_the_letters_of_every_script_are_letters_to_the_search_index(database: Database, word: str):
    assert len(await database.fetchval("select show_trgm($1)", word)) > 3


async def test_what_is_searched_for_is_something_to_the_search_index(database: Database):
    """Else a search reads all of the index. Of signs newer than these, Postgres' tables and Python's may differ."""
    signs = [
        chr(code) for code in range(sys.maxunicode) if unicodedata.ucd_3_2_0.category(chr(code)) not in ("Cn", "Cs")
    ]
    searched = [sign for sign in signs if containing_all("t", sign * 3, Arguments()) != ["false"]]
    assert len(searched) > 80_000
    ignored = "select coalesce(string_agg(sign, ' '), '') from unnest($1::text[]) sign where show_trgm(sign) = '{}'"
    assert await database.fetchval(ignored, searched) == ""


@pytest.mark.parametrize(("text", "lower"), [("ÉTOILE", "étoile"), ("ПИРАМИДА", "пирамида")])
async def test_upper_and_lower_case_are_the_same_word_in_every_script(database: Database, text: str, lower: str):
    assert await database.fetchval("select lower($1)", text) == lower
