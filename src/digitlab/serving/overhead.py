"""One limit on everything in a request but its body: its line, headers, trailers and chunk frames."""

from __future__ import annotations

_FRAME = len(b"\r\n\r\n")  # line ends of a chunk: behind the digits of its size, and behind its data


class Overhead:
    """Count of the bytes and fields of one request outside its body.

    The body, and the frames of its chunks as they are usually written, are subtracted from what was received,
    so that anything else counts: trailers, a chunk's extensions, zeros before its size.

    Args:
        most_bytes: largest number of bytes outside the body.
        most_fields: largest number of headers and trailers.

    Attributes:
        limit: message that states both limits, one line for people.
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
        """Whether there are too many bytes; valid only between calls of the parser, which finds the body."""
        return self._bytes > self._most_bytes

    @property
    def too_many(self) -> bool:
        """Whether there are too many fields."""
        return self._fields > self._most_fields

    def begin(self, received: int) -> None:
        """Start the count of a new request.

        Args:
            received: number of bytes in the part of data in which the request begins.
        """
        self._bytes = received
        self._fields = self._chunk = 0

    def receive(self, count: int) -> None:
        """Add received bytes of any kind."""
        self._bytes += count

    def receive_field(self) -> None:
        """Count a header or a trailer."""
        self._fields += 1

    def receive_body(self, count: int) -> None:
        """Subtract bytes of the body."""
        self._bytes -= count
        self._chunk += count

    def end_chunk(self) -> None:
        """Subtract the frame of a chunk, except for the last one, which is empty."""
        if self._chunk:
            digits = (self._chunk.bit_length() + 3) // 4
            self._bytes -= digits + _FRAME
            self._chunk = 0
