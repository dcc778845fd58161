"""Texts in any script are found, and by the index."""

import pytest
from bilten.db.database import Database


@pytest.mark.parametrize("word", ["مهرجان", "Étoile", "Пирамида", "東京ライブ"])
async def test_the_letters_of_every_script_are_letters_to_the_search_index(database: Database, word: str):
    assert len(await database.fetchval("select show_trgm($1)", word)) > 3


@pytest.mark.parametrize(("text", "lower"), [("ÉTOILE", "étoile"), ("ПИРАМИДА", "пирамида")])
async def test_upper_and_lower_case_are_the_same_word_in_every_script(database: Database, text: str, lower: str):
    assert await database.fetchval("select lower($1)", text) == lower
