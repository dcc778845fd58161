"""Sealed bytes are of use to this deployment, for their purpose, and to nobody else."""

import pytest
from bilten.sealed import Sealer, Unsealable
from hypothesis import given
from hypothesis import strategies as st

SECRET = "a secret of a deployment, long enough"


@given(st.binary())
def test_what_was_sealed_can_be_opened_by_another_process_with_the_same_secret(plain: bytes):
    assert Sealer(SECRET, purpose="mail").open(Sealer(SECRET, purpose="mail").seal(plain)) == plain


def test_the_same_bytes_are_sealed_differently_each_time():
    sealer = Sealer(SECRET, purpose="mail")
    assert sealer.seal(b"words") != sealer.seal(b"words")


@pytest.mark.parametrize(("secret", "purpose"), [(SECRET + "!", "mail"), (SECRET, "answers")])
def test_another_secret_or_purpose_opens_nothing(secret: str, purpose: str):
    sealed = Sealer(SECRET, purpose="mail").seal(b"words")
    with pytest.raises(Unsealable, match="BILTEN_SECRET_KEY"):
        Sealer(secret, purpose=purpose).open(sealed)


@given(st.data())
def test_a_single_changed_bit_is_noticed(data: st.DataObject):
    sealer = Sealer(SECRET, purpose="mail")
    sealed = bytearray(sealer.seal(b"words"))
    position = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[position // 8] ^= 1 << position % 8
    with pytest.raises(Unsealable):
        sealer.open(bytes(sealed))


@given(st.binary(max_size=40))
def test_bytes_that_were_never_sealed_are_refused(junk: bytes):
    with pytest.raises(Unsealable):
        Sealer(SECRET, purpose="mail").open(junk)
