"""Reading of request bodies within limits, whether sent with a length, in chunks or compressed."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterable
from typing import Self

from digitlab.serving.refusals import Receive, RefusalError, busy

RawHeaders = Iterable[tuple[bytes, bytes]]

_WINDOW_BITS = {
    b"gzip": 16 + zlib.MAX_WBITS,
    b"x-gzip": 16 + zlib.MAX_WBITS,
    b"deflate": zlib.MAX_WBITS,
}
_INFLATED_PART = 2**18  # bytes inflated at a time, so that other requests get their turn meanwhile


class ClientGoneError(RefusalError):
    """The client disconnected before its request was complete; nobody receives the answer."""

    def __init__(self) -> None:
        super().__init__(400, "the request ended before its body was complete")


class BodyRoom:
    """Memory that the bodies of all requests share.

    Args:
        total: size of the memory, in bytes.
    """

    def __init__(self, total: int) -> None:
        self.free = total

    def body(self) -> Body:
        """Create a body, a context manager that frees its memory at the end."""
        return Body(self)


class Body:
    """The body of one request.

    Args:
        room: memory that all bodies share.
    """

    def __init__(self, room: BodyRoom) -> None:
        self._room = room
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._room.free += self._held
        self._held = 0

    async def read(self, headers: RawHeaders, receive: Receive, limit: int) -> bytes:
        """Read the complete body.

        Args:
            headers: the request's headers, names in lower case.
            receive: the ASGI request's receive callable.
            limit: largest size of the body in bytes, also when it is inflated.

        Raises:
            RefusalError: the body is too long, its compression is unknown or invalid, or the memory for all
                bodies is used up.
            ClientGoneError: the client disconnected.
        """
        encoding = b""
        for name, value in headers:
            if name == b"content-length" and int(value) > limit:
                raise _too_long(limit)
            if name == b"content-encoding":
                encoding = value.strip().lower()
        parts = _received(receive)
        if encoding not in (b"", b"identity"):
            parts = _inflated(parts, encoding)
        kept: list[bytes] = []
        async for part in parts:
            self._hold(len(part), limit)
            kept.append(part)
        return b"".join(kept)

    def _hold(self, length: int, limit: int) -> None:
        if self._held + length > limit:
            raise _too_long(limit)
        if length > self._room.free:
            raise busy("the service has no memory for more bodies: try again in a moment")
        self._room.free -= length
        self._held += length


async def _received(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        yield message["body"]
        more = message.get("more_body", False)


async def _inflated(parts: AsyncIterator[bytes], encoding: bytes) -> AsyncIterator[bytes]:
    if encoding not in _WINDOW_BITS:
        raise RefusalError(
            415,
            "Content-Encoding: expected gzip, deflate or none: send the body uncompressed",
            {"Accept-Encoding": "gzip, deflate"},
        )
    inflate = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        async for part in parts:
            rest = part
            while rest and not inflate.eof:
                yield inflate.decompress(rest, _INFLATED_PART)
                rest = inflate.unconsumed_tail
                await asyncio.sleep(0)
    except zlib.error:
        raise RefusalError(400, f"the body is not {encoding.decode()}, its Content-Encoding") from None
    if not inflate.eof or inflate.unused_data:
        raise RefusalError(400, f"the {encoding.decode()} body is truncated, or has data after its end")


def _too_long(limit: int) -> RefusalError:
    return RefusalError(413, f"expected a body of at most {limit:,} bytes, received a longer one")
