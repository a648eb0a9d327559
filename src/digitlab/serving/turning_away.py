"""Refusing cheaply: under overload most requests are refused, and what that costs is taken from the others.

A client that was refused tends to come back on the same connection with the same request, but for the
length of its body. Such a request is recognized by the bytes of its headers, which were parsed and
checked the first time, and refused without being parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

_LENGTH = b"\r\ncontent-length: "
_END = b"\r\n\r\n"
_MOST_DIGITS = 8


class Gate(Protocol):
    """What requests wait behind.

    Attributes:
        coming: requests that were let in by their bytes, and have not taken their places yet.
    """

    coming: int

    @property
    def full(self) -> bool:
        """Whether another request would be refused."""
        ...


@dataclass(frozen=True, slots=True)
class KnownRequest:
    """A request that was refused, as it is recognized when it comes again.

    Attributes:
        gate: that was full.
        head: its bytes up to the digits of its length.
        rest: of its headers, from behind these digits.
    """

    gate: Gate
    head: bytes
    rest: bytes

    def is_again(self, data: bytes) -> bool:
        """Say whether some bytes are this request, whole, and nothing else."""
        if not data.startswith(self.head):
            return False
        begin = len(self.head)
        end = data.find(b"\r", begin, begin + _MOST_DIGITS)
        if end < 0 or not data.startswith(self.rest, end):
            return False
        digits = data[begin:end]
        return digits.isdigit() and end + len(self.rest) + int(digits) == len(data)


def known_request(gate: Gate, data: bytes) -> KnownRequest | None:
    """Remember a request.

    Args:
        gate: that was full.
        data: the whole request and nothing else.

    Returns:
        None for one that is not sent in the usual way, with a length and without an expectation.
    """
    headers = data[: data.find(_END) + len(_END)]
    lowered = headers.lower()
    place = lowered.find(_LENGTH)
    if place < 0 or b"\r\nexpect:" in lowered or b"\r\ntransfer-encoding:" in lowered:
        return None
    begin = place + len(_LENGTH)
    known = KnownRequest(gate, headers[:begin], headers[headers.index(b"\r", begin) :])
    return known if known.is_again(data) else None
