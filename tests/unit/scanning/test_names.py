"""Names of uploaded files: what is stored shows what it is, on any system, and is never a path."""

import pytest
from bilten.scanning.errors import Refused
from bilten.scanning.names import MAX_BYTES, extension, safe_name
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("given_name", "stored"),
    [
        ("poster.jpg", "poster.jpg"),
        ("POSTER.JPG", "POSTER.JPG"),
        ("صورة القاهرة.jpg", "صورة القاهرة.jpg"),
        ("archive.tar.jpg", "archive.tar.jpg"),
        ("poster.jpg.", "poster.jpg"),
        ("poster.jpg. . ", "poster.jpg"),
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("..\\..\\windows\\win.jpg", "win.jpg"),
        ("C:\\temp\\a.jpg", "a.jpg"),
        ("\\\\server\\share\\a.jpg", "a.jpg"),
        ("/etc/a.jpg", "a.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie_ x.jpg"),
        ('a"b<c>|?*.jpg', "a_b_c____.jpg"),
        ("con.jpg", "_con.jpg"),
        ("LPT1", "_LPT1"),
        (".htaccess.jpg", "htaccess.jpg"),
        ("e\u0301.jpg", "\u00e9.jpg"),
        ("\u2024\u2024/a.jpg", "a.jpg"),
    ],
)
def test_a_name_becomes_one_that_is_safe_to_show_and_to_save(given_name: str, stored: str):
    assert safe_name(given_name) == stored


@pytest.mark.parametrize("given_name", ["a\0.jpg", "poster.jpg\0.exe", "\0"])
def test_a_name_with_nul_is_refused(given_name: str):
    with pytest.raises(Refused, match="NUL") as refused:
        safe_name(given_name)
    assert refused.value.code == "INVALID_NAME"


@pytest.mark.parametrize("given_name", ["", ".", "..", "///", " . . ", "\u202e", "a/", "\r\n"])
def test_a_name_of_which_nothing_is_left_is_refused(given_name: str):
    with pytest.raises(Refused, match="no name") as refused:
        safe_name(given_name)
    assert refused.value.code == "INVALID_NAME"


def test_a_long_name_is_cut_between_characters_and_keeps_its_extension():
    stored = safe_name("ж" * 300 + ".jpeg")
    assert len(stored.encode()) in (MAX_BYTES, MAX_BYTES - 1)
    assert stored.endswith("ж.jpeg")


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.JPG", "jpg"),
        ("a.php.jpg", "jpg"),
        ("a.jpg.exe", "exe"),
        ("a", ""),
        (".jpg", ""),
        ("a.jpg ", ""),
        ("a.j pg", ""),
        ("a.жpg", ""),
    ],
)
def test_the_last_extension_counts_in_lower_case(name: str, ending: str):
    assert extension(name) == ending


@given(st.text())
def test_no_name_is_a_path_a_header_or_a_trick_for_the_eye(given_name: str):
    try:
        stored = safe_name(given_name)
    except Refused:
        return
    assert safe_name(stored) == stored
    assert not set(stored) & set('/\\\0\r\n\t"<>|:?*\u202e\u2066')
    assert stored.strip(". ") == stored
    assert 0 < len(stored.encode()) <= MAX_BYTES
