"""Connections with limits: a client that sends or reads too slowly, or sends without end, is dropped.

One sweep over all connections, twice a second, adds no cost to a request; a timer for each would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NoReturn

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from digitlab.serving.overhead import Overhead
from digitlab.serving.refusals import BUSY, RefusalError, error_body
from digitlab.serving.repeated_refusals import Gate, KnownRequest, known_request
from digitlab.serving.settings import Limits

_REFUSAL_BODY = error_body(BUSY)
_REFUSAL = (
    STATUS_LINE[503]
    + b"content-type: application/json\r\nretry-after: 1\r\ncontent-length: %d\r\n\r\n" % len(_REFUSAL_BODY)
    + _REFUSAL_BODY
)

_OF_A_BODY = (b"content-length", b"transfer-encoding")

LINGER_SECONDS = 2.0
"""Seconds for which a client may go on sending a body that has been answered, so that it reads the answer."""
LINGER_BYTES = 2**22
"""Bytes of a body that has been answered that are received before the connection is dropped."""
PART_BYTES = 8192
"""Bytes that are parsed at once: a limit is exceeded by no more, though a single read may bring 256 KB."""


class Phase(IntEnum):
    """How much of its current request a connection has received."""

    HEADERS = 0
    BODY = 1
    RECEIVED = 2


class Watch:
    """All connections of a server.

    Args:
        limits: limits on each connection and on all together.
        on_refusal: callback for each request that is refused without being parsed.
    """

    def __init__(self, limits: Limits, on_refusal: Callable[[], None]) -> None:
        self.limits = limits
        self.on_refusal = on_refusal
        self.connections: set[WatchedProtocol] = set()
        # Connections between two requests, the one that has waited longest first.
        self.idle: dict[WatchedProtocol, None] = {}
        # Bytes that clients had not read when last counted; the client that has waited longest comes first.
        self.unread: dict[WatchedProtocol, int] = {}
        self.unread_bytes = 0  # the sum of `unread`

    def enter(self, connection: WatchedProtocol) -> None:
        """Add a new connection; beyond the limit, the one that has been idle for longest is dropped."""
        self.connections.add(connection)
        self.idle[connection] = None
        if len(self.connections) > self.limits.connections:
            next(iter(self.idle)).transport.abort()

    def leave(self, connection: WatchedProtocol) -> None:
        """Remove a connection that has ended."""
        self.connections.discard(connection)
        self.idle.pop(connection, None)
        self.count_unread(connection, 0)

    def count_unread(self, connection: WatchedProtocol, size: int) -> None:
        """Record unread bytes; beyond the limit of all, the client that has waited longest is dropped.

        Args:
            connection: connection to the client.
            size: number of bytes that wait to be sent.
        """
        self.unread_bytes += size - self.unread.get(connection, 0)
        if size:
            self.unread[connection] = size
        else:
            self.unread.pop(connection, None)
        while self.unread_bytes > self.limits.unread_bytes:
            slowest = next(iter(self.unread))
            self.unread_bytes -= self.unread.pop(slowest)
            slowest.drop()

    def sweep(self, now: float) -> None:
        """Drop or refuse the connections that exceed a time limit.

        Args:
            now: the event loop's time, in seconds.
        """
        for connection in tuple(self.connections):
            connection.check(now, self.limits)


class WatchedProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP connection, held to the limits of a `Watch`."""

    def __init__(self, watch: Watch, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._watch = watch
        self._overhead = Overhead(watch.limits.header_bytes, watch.limits.header_fields)
        self._fault: RefusalError | None = None  # found while parsing
        self._part = 0  # length of the part being parsed, in bytes
        self._dropped = False
        self._phase = Phase.HEADERS
        self._since = self.loop.time()  # start of the phase
        self._bytes = 0  # received in the phase
        self._moved = self._since  # time of the last bytes received
        self._unsent = 0
        self._unsent_since = 0.0
        self._piece = b""  # the last data received, if it began a request
        self._begun = 0  # requests that began in it
        self._refused: KnownRequest | None = None
        self._running: RequestResponseCycle | None = None  # the request that is being answered
        self._refusal: asyncio.TimerHandle | None = None  # a refusal that is about to be sent

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Register the new connection."""
        super().connection_made(transport)
        self._watch.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection, and notify the request that is being answered."""
        self._watch.leave(self)
        if self._running is not None:  # uvicorn notifies only the last of several pipelined requests
            self._running.disconnected = True
            self._running.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self.flow.write_paused:  # a client that does not read the last answer gets no other
            self.flow.pause_reading()
            self.pipeline.append((cycle, app))
            return
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        """Record that the client reads its answers more slowly than they are made."""
        super().pause_writing()
        self._count_unread()

    def resume_writing(self) -> None:
        """Resume writing, and start a request that waited for it."""
        super().resume_writing()
        self._count_unread()
        answered = self._running is None or self._running.response_complete
        if self.pipeline and answered and not self.transport.is_closing():
            self._start_asgi_task(*self.pipeline.pop())

    def _count_unread(self) -> int:
        unread = 0 if self._dropped else self.transport.get_write_buffer_size()
        self._watch.count_unread(self, unread)
        return unread

    def drop(self) -> None:
        """Close at once, and discard what was not sent."""
        self._dropped = True
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Handle data from the client."""
        if self._refusal is not None:
            self._send_refusal()
        place = None
        if self._refused is not None and self._is_again(self._refused, data):
            place = self._refused.gate
            if place.full:
                self._turn_away()
                return
        self._moved = self.loop.time()
        self._piece = data if self._phase is not Phase.BODY else b""
        self._begun = 0
        self._parse(data)
        if place is not None:
            place.coming += 1
            self.scope["digitlab.place"] = place  # type: ignore[typeddict-unknown-key]
        if self._phase is Phase.BODY and self._bytes > LINGER_BYTES and self.cycle.response_complete:
            self.transport.abort()

    def _parse(self, data: bytes) -> None:
        for begin in range(0, len(data), PART_BYTES):
            part = data[begin : begin + PART_BYTES]
            self._part = len(part)
            self._bytes += self._part
            self._overhead.receive(self._part)
            super().data_received(part)
            if self.transport.is_closing():
                return
            if self._overhead.too_long and self._phase is not Phase.RECEIVED:
                self._refuse(431, self._overhead.limit)
                return

    def on_message_begin(self) -> None:
        """Start a request."""
        most = self._watch.limits.pipelined_requests
        if len(self.pipeline) >= most:
            self._stop(400, f"expected at most {most} pipelined requests")
        self._overhead.begin(self._part)
        super().on_message_begin()
        self.scope["digitlab.connection"] = self  # type: ignore[typeddict-unknown-key]
        self._begun += 1
        self._watch.idle.pop(self, None)
        self._enter(Phase.HEADERS)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Handle a header; a trailer, which follows the body, is only counted."""
        self._overhead.receive_field()
        if self._overhead.too_many:
            self._stop(431, self._overhead.limit)
        if self._phase is Phase.HEADERS:
            super().on_header(name, value)

    def _stop(self, status: int, message: str) -> NoReturn:
        """Stop the parser, so that `send_400_response` is called."""
        self._fault = RefusalError(status, message)
        raise self._fault

    def on_headers_complete(self) -> None:
        """Go on to the body."""
        assert self.parser is not None
        # The parser expects no body after an Upgrade header, and would parse one as further requests.
        if self.parser.should_upgrade() and self._announces_body():
            self._stop(400, "expected no Upgrade in a request with a body: remove that header")
        self._enter(Phase.BODY)
        super().on_headers_complete()

    def _announces_body(self) -> bool:
        return any(name in _OF_A_BODY and value != b"0" for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        """Handle a part of the body."""
        self._overhead.receive_body(len(body))
        super().on_body(body)

    def on_chunk_complete(self) -> None:
        """Handle the end of a chunk."""
        self._overhead.end_chunk()

    def on_message_complete(self) -> None:
        """Handle the end of a request."""
        self._enter(Phase.RECEIVED)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Handle the end of an answer."""
        super().on_response_complete()
        if self._phase is Phase.BODY:  # count anew: the rest is discarded, within LINGER_SECONDS and _BYTES
            self._enter(Phase.BODY)
        if self._phase is Phase.RECEIVED and self.cycle.response_complete:  # and no other request waits
            self._watch.idle[self] = None

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that is invalid HTTP or exceeds a limit."""
        if self._fault is None:
            self._refuse(400, msg)
        else:
            self._refuse(self._fault.status, str(self._fault))

    def timeout_keep_alive_handler(self) -> None:
        """Drop an idle connection, even if its client has not read all of the last answer."""
        rest = self._moved + self.timeout_keep_alive - self.loop.time()
        if rest > 0:  # a request was refused unparsed meanwhile
            self.timeout_keep_alive_task = self.loop.call_later(rest, self.timeout_keep_alive_handler)
        else:
            self.transport.abort()

    def shutdown(self) -> None:
        """Close once pending requests are answered."""
        if self._refusal is not None:
            self._send_refusal()
        super().shutdown()

    def remember_refusal(self, gate: Gate) -> None:
        """Remember the current request, to refuse it without parsing if it comes again.

        Args:
            gate: queue that refused the request; a repetition is refused while it is full.
        """
        if self._piece and self._begun == 1 and self._phase is Phase.RECEIVED and self.cycle.keep_alive:
            self._refused = known_request(gate, self._piece)

    def _is_again(self, refused: KnownRequest, data: bytes) -> bool:
        """Return whether a refused request comes again, and nothing else is under way."""
        rests = self._phase is Phase.RECEIVED and self in self._watch.idle and not self.flow.write_paused
        return rests and refused.is_again(data)

    def _turn_away(self) -> None:
        """Refuse a request without parsing it."""
        self._moved = self.loop.time()
        self._refusal = self.loop.call_later(self._watch.limits.refusal_seconds, self._send_refusal)
        self._watch.on_refusal()

    def _send_refusal(self) -> None:
        if self._refusal is not None:
            self._refusal.cancel()
            self._refusal = None
        if not self.transport.is_closing():
            self.transport.write(_REFUSAL)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._since = self.loop.time()
        self._bytes = 0

    def check(self, now: float, limits: Limits) -> None:
        """Drop or refuse the connection if it exceeds a time limit."""
        self._check_unsent(now, limits)
        if self.transport.is_closing():
            return
        if self._phase is Phase.BODY:
            self._check_body(now, limits)
        elif self in self._watch.idle:
            if now - self._since > limits.idle_seconds:
                self.transport.abort()
        elif self._phase is Phase.HEADERS and now - self._since > limits.header_seconds:
            self._refuse(408, "the request's headers took too long")

    def _check_body(self, now: float, limits: Limits) -> None:
        if self.cycle.response_complete:
            if now - self._since > LINGER_SECONDS:
                self.transport.abort()
        elif self.flow.read_paused:  # the service is what is slow
            self._since = self._moved = now
            self._bytes = 0
        elif (
            now - self._moved > limits.body_seconds
            or now - self._since > limits.body_seconds + self._bytes / limits.body_rate
        ):
            self._refuse(408, "the request's body took too long")

    def _check_unsent(self, now: float, limits: Limits) -> None:
        unsent = self._count_unread()
        if unsent < self._unsent or not self._unsent:  # while it only grows, the client reads nothing
            self._unsent_since = now
        elif now - self._unsent_since > limits.write_seconds:
            self.drop()
        self._unsent = unsent

    def _refuse(self, status: int, message: str) -> None:
        """Send an error and close.

        Nothing is sent where the application has begun its answer, or where another request comes first.
        """
        if self._phase is Phase.BODY:
            free = self._running is self.cycle and not self.cycle.response_started
        else:
            free = self.cycle is None or (self._running is self.cycle and self.cycle.response_complete)
        if free:
            body = error_body(message)
            fields = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + fields % len(body) + body)
        self.transport.close()


def watched(watch: Watch) -> Callable[..., asyncio.Protocol]:
    """Return the factory with which uvicorn creates its connections."""

    def make(**arguments: Any) -> asyncio.Protocol:
        return WatchedProtocol(watch, **arguments)

    return make
