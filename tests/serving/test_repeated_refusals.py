"""Requests that were refused are known again by their bytes; nothing else is taken for them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.serving.repeated_refusals import KnownRequest, known_request


class Gate:
    full = True
    coming = 0


GATE = Gate()
HEADERS = b"POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nAccept: */*\r\n\r\n"


def message(body: bytes, headers: bytes = HEADERS) -> bytes:
    return headers % len(body) + body


def known(data: bytes = message(b"body")) -> KnownRequest:
    found = known_request(GATE, data)
    assert found is not None
    return found


@given(st.binary(max_size=3000))
@settings(deadline=None)
def test_the_same_request_with_another_body_is_known(body: bytes) -> None:
    assert known().is_again(message(body))


def test_the_length_may_stand_last() -> None:
    headers = b"POST / HTTP/1.1\r\nHost: a\r\ncontent-length: %d\r\n\r\n"
    assert known(message(b"one", headers)).is_again(message(b"a longer one", headers))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"POST",
        message(b"body")[:-1],
        message(b"body") + b"G",
        message(b"body") * 2,
        message(b"body").replace(b"localhost", b"evil"),
        message(b"body").replace(b"/m/", b"/n/"),
        message(b"body").replace(b"4", b"+4"),
        message(b"body").replace(b"4", b" 4"),
        message(b"body").replace(b"4", b""),
        message(b"body").replace(b"4", b"4" * 12),
        message(b"body").replace(b"*/*", b"*/*\r\nConnection: close"),
    ],
)
def test_anything_else_is_not(data: bytes) -> None:
    assert not known().is_again(data)


@given(st.integers(0, len(HEADERS) - 4), st.binary(min_size=1, max_size=3))
@settings(deadline=None)
def test_a_change_in_the_headers_is_seen(place: int, change: bytes) -> None:
    data = message(b"body")
    changed = data[:place] + change + data[place + len(change) :]
    assert known().is_again(changed) == (changed == data)


@pytest.mark.parametrize(
    "headers",
    [
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_requests_of_another_kind_are_not_remembered(headers: bytes) -> None:
    assert known_request(GATE, headers + b"body") is None
