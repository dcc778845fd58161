"""Buckets are called after the instance, fit S3, and are no other instance's."""

from dataclasses import astuple

from bilten_operator.api.names import buckets
from hypothesis import given
from hypothesis import strategies as st

LABELS = st.from_regex(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)


def test_buckets_are_called_after_the_namespace_and_the_instance():
    assert astuple(buckets("shop", "bilten")) == (
        "shop-bilten-quarantine",
        "shop-bilten-media",
        "shop-bilten-backup",
    )


def test_a_name_that_is_too_long_ends_in_a_digest_of_all_of_it():
    long = "a" * 63
    assert buckets(long, "bilten").media.startswith("a" * 41 + "-")
    assert buckets(long, "bilten").media != buckets(long, "biltem").media


@given(LABELS, LABELS)
def test_buckets_fit_what_s3_allows(namespace: str, name: str):
    for bucket in astuple(buckets(namespace, name)):
        assert 3 <= len(bucket) <= 63
        assert bucket.strip("-") == bucket
