"""Names of files in headers: whatever somebody called a file, the header is one line that says only a name."""

import re

import pytest
from aiohttp.multipart import content_disposition_filename, parse_content_disposition
from bilten.web.disposition import content_disposition
from hypothesis import given
from hypothesis import strategies as st

#: RFC 6266 §4.1 with RFC 8187, as strictly as it can be said.
_HEADER = re.compile(
    r"""(inline|attachment)(; filename="[ !#-$&-.0-\[\]-~]*"""
    r""""(; filename\*=UTF-8''([A-Za-z0-9!\#$&+.^_`|~-]|%[0-9A-F]{2})+)?)?"""
)


def read_back(header: str) -> str | None:
    """The name as another reader of such headers understands it."""
    _, parameters = parse_content_disposition(header)
    return content_disposition_filename(parameters)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("poster.png", 'attachment; filename="poster.png"'),
        ("a b (1).pdf", 'attachment; filename="a b (1).pdf"'),
        ("Füße.png", "attachment; filename=\"Fu_e.png\"; filename*=UTF-8''F%C3%BC%C3%9Fe.png"),
        ("東京.pdf", "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E6%9D%B1%E4%BA%AC.pdf"),
        ('say "hi".txt', "attachment; filename=\"say _hi_.txt\"; filename*=UTF-8''say%20%22hi%22.txt"),
        ("100%.png", "attachment; filename=\"100_.png\"; filename*=UTF-8''100%25.png"),
        ("a\r\nSet-Cookie: x=y", 'attachment; filename="aSet-Cookie: x=y"'),
        ("../../etc/passwd", 'attachment; filename=".._.._etc_passwd"'),
        ("C:\\dir\\a.png", 'attachment; filename="C:_dir_a.png"'),
        ("gpj.\u202eexe", 'attachment; filename="gpj.exe"'),
        ("\ud800.png", 'attachment; filename=".png"'),
        ("a\0b.png", 'attachment; filename="ab.png"'),
        ("", "attachment"),
        ("\r\n\t", "attachment"),
        (None, "attachment"),
    ],
)
def test_a_name_is_said_so_that_old_and_new_readers_understand_it(name: str | None, header: str):
    assert content_disposition(name, inline=False) == header


def test_a_long_name_keeps_its_extension():
    header = content_disposition("x" * 5000 + ".jpeg", inline=True)
    assert header == f'inline; filename="{"x" * 195}.jpeg"'
    assert len(content_disposition("ü" * 5000, inline=True)) < 2000


@given(st.text(st.characters(), max_size=300), st.booleans())
def test_no_name_makes_more_than_a_name_of_the_header(name: str, inline: bool):
    header = content_disposition(name, inline=inline)
    assert _HEADER.fullmatch(header), header
    assert header.startswith("inline" if inline else "attachment")


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="/\\"), min_size=1, max_size=60
    )
)
def test_a_harmless_name_is_read_back_as_it_was(name: str):
    assert read_back(content_disposition(name, inline=False)) == name
