"""Titles as parts of addresses, and how long a text takes to read."""

import re

from bilten.articles.actions import MAX_SLUG, reading_time, slug_of
from bilten.articles.queries import SLUG
from hypothesis import given
from hypothesis import strategies as st


@given(st.text(max_size=300))
def test_every_title_makes_a_slug_the_database_takes(title: str):
    slug = slug_of(title)
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) <= MAX_SLUG
    assert SLUG.fullmatch(slug)


@given(st.text(max_size=2000))
def test_reading_takes_a_minute_at_least(content: str):
    assert reading_time(content) >= 1
    assert reading_time("word " * 1000) == 5
