"""Bodies: with a length, in chunks or compressed, they keep to the limit and to the room that all share."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.serving.bodies import BodyRoom, ClientGoneError
from digitlab.serving.refusals import Message, RefusalError

LIMIT = 1000
ENCODERS = {"gzip": gzip.compress, "deflate": zlib.compress}


async def read_parts(
    room: BodyRoom, headers: dict[str, str], parts: Sequence[bytes | None], limit: int
) -> bytes:
    """Read a body that arrives in parts; None stands for the client's leaving."""
    waiting = list(parts)

    async def receive() -> Message:
        part = waiting.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    with room.body() as body:
        return await body.read(raw, receive, limit)


def read(
    parts: Sequence[bytes | None],
    headers: dict[str, str] | None = None,
    *,
    limit: int = LIMIT,
    room: BodyRoom | None = None,
) -> bytes:
    return asyncio.run(read_parts(room or BodyRoom(10 * limit), headers or {}, parts, limit))


def refused(
    parts: Sequence[bytes | None], headers: dict[str, str] | None = None, room: BodyRoom | None = None
) -> int:
    with pytest.raises(RefusalError) as caught:
        read(parts, headers, room=room)
    return caught.value.status


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[begin : begin + size] for begin in range(0, len(data), size)] or [b""]


@given(st.binary(max_size=LIMIT), st.integers(1, 400))
@settings(max_examples=50, deadline=None)
def test_a_body_is_read_whole_however_it_is_cut(data: bytes, size: int) -> None:
    room = BodyRoom(LIMIT)
    assert read(pieces(data, size), room=room) == data
    assert room.free == LIMIT


@given(st.sampled_from(sorted(ENCODERS)), st.binary(max_size=LIMIT), st.integers(1, 400))
@settings(max_examples=50, deadline=None)
def test_a_compressed_body_is_inflated_however_it_is_cut(encoding: str, data: bytes, size: int) -> None:
    parts = pieces(ENCODERS[encoding](data), size)
    assert read(parts, {"content-encoding": encoding}) == data


def test_a_length_above_the_limit_is_refused_before_anything_is_read() -> None:
    assert refused([], {"content-length": str(LIMIT + 1)}) == 413


@pytest.mark.parametrize("size", [1, 300, LIMIT + 1])
def test_a_chunked_body_is_refused_when_it_passes_the_limit(size: int) -> None:
    assert refused(pieces(bytes(LIMIT + 1), size)) == 413


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_body_that_inflates_above_the_limit_is_refused(encoding: str) -> None:
    assert refused([ENCODERS[encoding](bytes(LIMIT + 1))], {"content-encoding": encoding}) == 413


def test_a_bomb_takes_no_memory() -> None:
    bomb = gzip.compress(bytes(200 * 2**20), 1)
    tracemalloc.start()
    assert refused(pieces(bomb, 2**16), {"content-encoding": "gzip"}) == 413
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**21


@pytest.mark.parametrize(
    ("data", "encoding", "status"),
    [
        (b"no gzip", "gzip", 400),
        (gzip.compress(b"cut", mtime=0)[:-3], "gzip", 400),
        (gzip.compress(b"one", mtime=0) + b"more", "gzip", 400),
        (b"", "gzip", 400),
        (b"x", "br", 415),
        (b"x", "gzip, gzip", 415),
    ],
)
def test_what_is_not_compressed_as_it_says_is_refused(data: bytes, encoding: str, status: int) -> None:
    assert refused([data], {"content-encoding": encoding}) == status


def test_all_bodies_share_one_room_and_leave_it() -> None:
    room = BodyRoom(500)
    assert refused([bytes(501)], room=room) == 503
    assert room.free == 500
    with room.body() as first:
        first._hold(300, LIMIT)
        assert refused([bytes(300)], room=room) == 503
        assert read([bytes(200)], room=room) == bytes(200)
    assert read([bytes(500)], room=room) == bytes(500)


def test_a_client_that_leaves_leaves_no_body_behind() -> None:
    room = BodyRoom(500)
    with pytest.raises(ClientGoneError):
        read([bytes(100), None], room=room)
    assert room.free == 500
