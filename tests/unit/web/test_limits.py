"""Windows of requests per key."""

import time

import pytest
from bilten.web.limits import Limiter


def test_hits_beyond_the_limit_are_refused_until_the_window_ends(monkeypatch: pytest.MonkeyPatch):
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    limiter = Limiter(window_s=60)
    verdicts = [limiter.hit("a", 2) for _ in range(3)]
    assert [v.allowed for v in verdicts] == [True, True, False]
    assert [v.remaining for v in verdicts] == [1, 0, 0]
    now = 1059.5
    assert not limiter.hit("a", 2).allowed
    now = 1060.0
    assert limiter.hit("a", 2).allowed


def test_keys_do_not_share_a_window():
    limiter = Limiter()
    assert not [limiter.hit("a", 1) for _ in range(2)][1].allowed
    assert limiter.hit("b", 1).allowed


def test_the_reset_is_whole_seconds_and_never_zero(monkeypatch: pytest.MonkeyPatch):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    limiter = Limiter(window_s=60)
    assert limiter.hit("a", 5).headers["RateLimit-Reset"] == "60"
    now = 59.9999
    assert limiter.hit("a", 5).headers["RateLimit-Reset"] == "1"


def test_memory_is_bounded_when_every_request_brings_a_new_key():
    limiter = Limiter(max_keys=10)
    for number in range(1000):
        limiter.hit(str(number), 1)
    assert not limiter.hit("999", 1).allowed, "the newest keys are the ones remembered"
    assert limiter.hit("0", 1).allowed
