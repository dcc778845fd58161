"""A signed link opens one file, by one path, until it expires or is revoked; whatever is changed, it opens nothing."""

from uuid import UUID

import pytest
from bilten.objects.links import LinkRefused, LinkSigner
from bilten.settings import Settings
from fixtures.api import make_settings
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

FILE = UUID("6f1c2f52-6f6a-4b39-8e0f-0d9a2f9a5a01")
OTHER = UUID("6f1c2f52-6f6a-4b39-8e0f-0d9a2f9a5a02")
PATH = f"/api/v1/files/signed/{FILE}/poster.jpg"
EXPIRES = 2_000_000_000
BEFORE = EXPIRES - 60
OLD, NEW = "2026a:" + "a" * 40, "2026b:" + "b" * 40

Query = list[tuple[str, str]]


def settings(**overrides: object) -> Settings:
    return make_settings("postgresql://nobody@127.0.0.1/none", **overrides)


def signer(keys: str | None = None) -> LinkSigner:
    return LinkSigner(settings(link_keys=keys))


def link(by: LinkSigner | None = None, **changed: int) -> Query:
    asked = {"expires_at": EXPIRES, "epoch": 3, **changed}
    return list((by or signer()).sign(FILE, PATH, parameters=[("variant", "small"), ("w", "100")], **asked))


def opens(
    query: Query, *, by: LinkSigner | None = None, method: str = "GET", file_id: UUID = FILE, path: str = PATH,
    epoch: int = 3, now: float = BEFORE,
) -> bool:  # fmt: skip
    try:
        return (by or signer()).verify(method, file_id, path, query, epoch=epoch, now=now) == EXPIRES
    except LinkRefused:
        return False


def replaced(query: Query, name: str, value: str) -> Query:
    return [(key, value if key == name else old) for key, old in query]


def test_a_link_opens_its_file_also_for_head_and_in_another_process():
    assert opens(link())
    assert opens(link(), method="HEAD")
    assert opens(list(reversed(link())))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", ""])
def test_a_link_to_read_does_nothing_else(method: str):
    assert not opens(link(), method=method)


def test_a_link_opens_no_other_file_and_no_other_path():
    assert not opens(link(), file_id=OTHER)
    for path in (PATH + "/", PATH[:-1], PATH.replace("poster", "Poster"), PATH.replace("/files", "//files"), "/"):
        assert not opens(link(), path=path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("w", "9999"), ("w", "0100"), ("w", ""), ("variant", "large"), ("expires", str(EXPIRES + 1)),
     ("expires", f"0{EXPIRES}"), ("expires", f"+{EXPIRES}"), ("expires", f"{EXPIRES} "), ("expires", "never"),
     ("expires", "²"), ("key", "other"), ("key", ""), ("signature", ""), ("signature", "A" * 43),
     ("signature", "\ud800é")],
)  # fmt: skip
def test_a_parameter_that_was_changed_closes_it(name: str, value: str):
    assert not opens(replaced(link(), name, value))


@pytest.mark.parametrize("name", ["variant", "w", "expires", "key", "signature"])
def test_a_parameter_that_is_missing_or_repeated_closes_it(name: str):
    query = link()
    assert not opens([pair for pair in query if pair[0] != name])
    same = [pair for pair in query if pair[0] == name]
    assert not opens([*query, *same])
    assert not opens([*same, *query])
    assert not opens([*query, (name, "9999")])
    assert not opens([(name, "9999"), *query])


def test_a_parameter_that_was_added_or_moved_into_another_closes_it():
    assert not opens([*link(), ("download", "1")])
    assert not opens([*link(), ("", "")])
    query = [pair for pair in link() if pair[0] not in {"variant", "w"}]
    assert not opens([("variant", "small&w=100"), *query])
    assert not opens([("variant", "100"), ("w", "small"), *query])


def test_a_signature_that_was_cut_or_spelled_otherwise_closes_it():
    query = link()
    signature = dict(query)["signature"]
    assert len(signature) == 43
    other = signature[:-1] + chr(ord(signature[-1]) + 1)
    for value in (signature[:-1], signature[1:], signature + "=", signature + "A", signature.swapcase(), other):
        assert not opens(replaced(query, "signature", value))


def test_a_link_ends_when_it_expires():
    assert opens(link(), now=EXPIRES - 1)
    assert not opens(link(), now=EXPIRES)
    assert not opens(link(), now=EXPIRES + 1)


def test_a_link_that_was_revoked_opens_nothing():
    assert not opens(link(), epoch=4)
    assert opens(link(epoch=4), epoch=4)


def test_keys_are_rotated_without_breaking_links_until_the_old_one_is_taken_away():
    old = link(signer(OLD))
    both = signer(f"{NEW}, {OLD}")
    assert opens(old, by=both)
    assert dict(link(both))["key"] == "2026b"
    assert opens(link(both), by=signer(NEW))
    assert not opens(old, by=signer(NEW))
    assert not opens(replaced(old, "key", "2026b"), by=both)
    assert not opens(old, by=signer("2026a:" + "x" * 40))


def test_no_key_that_anyone_can_guess_signs_a_link():
    unsigned = [("expires", str(EXPIRES)), ("key", "unknown")]
    for key in (b"", b"\0" * 32, b"unknown"):
        signature = LinkSigner._signature(key, "GET", FILE, PATH, unsigned, 3)  # noqa: SLF001 - as a forger would
        assert not opens([*unsigned, ("signature", signature)])


def test_without_keys_one_follows_from_the_deployments_secret():
    other = LinkSigner(settings(secret_key="another secret, of thirty-two characters or more"))
    assert opens(link())
    assert not opens(link(), by=other)
    assert not opens(link(), by=signer(OLD))
    assert not opens(link(signer(OLD)))


@pytest.mark.parametrize("keys", ["", "a", "a:short", f"{OLD},", f"{OLD},{OLD}", "a b:" + "x" * 40, ":" + "x" * 40])
def test_keys_that_are_none_are_refused_without_being_shown(keys: str):
    with pytest.raises(ValidationError, match="must be keys like") as refusal:
        settings(link_keys=keys)
    assert len(keys) < 8 or keys not in str(refusal.value)


def test_the_signed_form_of_an_upload_is_no_link():
    upload = [("key", "direct/one"), ("policy", "e30="), ("signature", "A" * 43), ("expires", str(EXPIRES))]
    assert not opens(upload)


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=6), st.text(max_size=20))
def test_nothing_that_anyone_makes_up_opens_a_file_or_fails(extra: Query, signature: str):
    made_up = [*extra, ("expires", str(EXPIRES)), ("key", "derived"), ("signature", signature)]
    assert not opens(made_up)
