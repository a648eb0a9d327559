"""What of a request is no body, and is held to one limit: its line, headers, trailers, its chunks' frames."""

from __future__ import annotations

_FRAME = len(b"\r\n\r\n")  # of a chunk, beside the digits of its size


class Overhead:
    """The bytes and the fields of one request beside its body.

    A body, and the frames of its chunks as they are usually written, are taken off what was received, so
    that whatever else a client thinks of counts: trailers, a chunk's extensions, zeros before its size.

    Args:
        most_bytes: that a request may have of them.
        most_fields: headers and trailers that it may have.

    Attributes:
        limit: one line for people.
    """

    def __init__(self, most_bytes: int, most_fields: int) -> None:
        self.limit = (
            f"expected at most {most_bytes:,} bytes and {most_fields:,} fields of headers and trailers"
        )
        self._most_bytes = most_bytes
        self._most_fields = most_fields
        self._bytes = 0
        self._fields = 0
        self._chunk = 0  # bytes of body since the last chunk's end

    @property
    def too_long(self) -> bool:
        """Whether there are more bytes than there may be; known only between the calls of the parser."""
        return self._bytes > self._most_bytes

    @property
    def too_many(self) -> bool:
        """Whether there are more fields than there may be."""
        return self._fields > self._most_fields

    def begin(self, received: int) -> None:
        """Count anew for a request that begins.

        Args:
            received: bytes of the part in which it does.
        """
        self._bytes = received
        self._fields = self._chunk = 0

    def receive(self, count: int) -> None:
        """Count bytes, whatever they are."""
        self._bytes += count

    def receive_field(self) -> None:
        """Count a header or a trailer."""
        self._fields += 1

    def receive_body(self, count: int) -> None:
        """Take off those bytes that are body."""
        self._bytes -= count
        self._chunk += count

    def end_chunk(self) -> None:
        """Take off the frame of a chunk; that of the last one, which is empty, counts."""
        if self._chunk:
            digits = (self._chunk.bit_length() + 3) // 4
            self._bytes -= digits + _FRAME
            self._chunk = 0
