"""Cheap refusal: under overload most requests are refused, and the time for that is missing for the others.

A client that was refused tends to repeat its request on the same connection, with another body. Such a
request is recognized by the bytes of its headers, which were parsed and checked the first time, and is
refused without being parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

_LENGTH = b"\r\ncontent-length: "
_END = b"\r\n\r\n"
_MOST_DIGITS = 8


class Gate(Protocol):
    """Queue that refuses requests while it is full.

    Attributes:
        coming: number of recognized requests that were admitted and are not handled yet.
    """

    coming: int

    @property
    def full(self) -> bool:
        """Whether another request would be refused."""
        ...


@dataclass(frozen=True, slots=True)
class KnownRequest:
    """A request that was refused, kept to recognize it when it comes again.

    Attributes:
        gate: queue that was full.
        head: bytes of the request up to the digits of its content length.
        rest: bytes of its headers from behind these digits.
    """

    gate: Gate
    head: bytes
    rest: bytes

    def is_again(self, data: bytes) -> bool:
        """Return whether data is this request, with any body, complete, and nothing else."""
        if not data.startswith(self.head):
            return False
        begin = len(self.head)
        end = data.find(b"\r", begin, begin + _MOST_DIGITS)
        if end < 0 or not data.startswith(self.rest, end):
            return False
        digits = data[begin:end]
        return digits.isdigit() and end + len(self.rest) + int(digits) == len(data)


def known_request(gate: Gate, data: bytes) -> KnownRequest | None:
    """Return what recognizes a refused request when it comes again.

    Args:
        gate: queue that was full.
        data: the complete request and nothing else.

    Returns:
        The known request; None unless it is sent with a content length, and without chunks and `Expect`.
    """
    headers = data[: data.find(_END) + len(_END)]
    lowered = headers.lower()
    place = lowered.find(_LENGTH)
    if place < 0 or b"\r\nexpect:" in lowered or b"\r\ntransfer-encoding:" in lowered:
        return None
    begin = place + len(_LENGTH)
    known = KnownRequest(gate, headers[:begin], headers[headers.index(b"\r", begin) :])
    return known if known.is_again(data) else None
