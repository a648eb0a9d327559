"""What clients can make the service hold: it is bounded, however they try. Real processes, real sockets."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest

from requests_of_the_protocol import binary_request, request
from serving_process import ServingProcess, receive_all, receive_answer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc, which Linux has"),
]

Start = Callable[..., ServingProcess]

MEBIBYTE = 2**20
BOUND = 100 * MEBIBYTE
"""What an attack may add to the service's memory, at its worst moment."""
MOST_SENT = 64 * MEBIBYTE
"""Of one attack; the service has to end it long before."""
SOON = 8 * MEBIBYTE
"""Sent until the service ends an attack, with what the system's buffers take."""

LIVE = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = b"GET /docs/files/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"POST /api/recognize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
LINES = b"".join(b"t%d: v\r\n" % number for number in range(10_000))
LETTERS = bytes(65536).replace(b"\0", b"x")


@contextmanager
def bounded(serving: ServingProcess) -> Iterator[None]:
    """Hold that what happens meanwhile takes little memory, and that the service is well afterwards."""
    before = serving.memory()
    serving.forget_peak()
    yield
    grown = serving.memory("VmHWM") - before
    assert grown < BOUND, f"{grown / MEBIBYTE:.0f} MiB more"
    assert serving.get("/v2/health/ready").status_code == 200
    assert "Traceback" not in serving.errors.read_text()


def send_without_end(connection: socket.socket, begin: bytes, part: bytes) -> int:
    """Send a part again and again until the other side has enough; say how many bytes it took."""
    sent = 0
    try:
        connection.sendall(begin)
        for piece in repeat(part, MOST_SENT // len(part)):
            connection.sendall(piece)
            sent += len(piece)
    except OSError:
        pass
    return sent


ENDLESS = {
    "trailers": (CHUNKED + b"1\r\nx\r\n0\r\n", LINES),
    "a trailer's value": (CHUNKED + b"0\r\nt: ", LETTERS),
    "a trailer's name": (CHUNKED + b"0\r\n", LETTERS),
    "a chunk's extension": (CHUNKED + b"1;x=", LETTERS),
    "a chunk's size": (CHUNKED, bytes(65536).replace(b"\0", b"0")),
    "chunks' extensions": (CHUNKED, b"1;x=" + LETTERS[:1000] + b"\r\nx\r\n"),
    "headers": (b"GET /v2 HTTP/1.1\r\nHost: localhost\r\n", LINES),
    "a header's value": (b"GET /v2 HTTP/1.1\r\nHost: localhost\r\nx: ", LETTERS),
    "a header's name": (b"GET /v2 HTTP/1.1\r\nHost: localhost\r\n", LETTERS),
    "a request's address": (b"GET /", LETTERS),
    "a request's method": (b"", LETTERS),
    "empty lines": (b"", b"\r\n" * 32768),
}


@pytest.mark.parametrize(("begin", "part"), ENDLESS.values(), ids=ENDLESS)
def test_a_request_without_end_is_ended(start_serving: Start, begin: bytes, part: bytes) -> None:
    serving = start_serving()
    with bounded(serving), serving.connect() as connection:
        assert send_without_end(connection, begin, part) < SOON


@pytest.mark.parametrize(
    ("begin", "part"), [(LIVE[:-2], LINES), (CHUNKED + b"0\r\n", LINES), (CHUNKED + b"1;", LETTERS * 2)]
)
def test_what_is_too_long_is_refused_in_words_though_it_comes_in_one_piece(
    start_serving: Start, begin: bytes, part: bytes
) -> None:
    serving = start_serving()
    with serving.connect() as connection:
        connection.sendall(begin + part + b"\r\n")
        answer = receive_all(connection)
    assert answer.startswith(b"HTTP/1.1 431")
    assert "expected at most" in json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]


def test_trailers_that_trickle_are_cut_off(start_serving: Start) -> None:
    serving = start_serving(body_seconds=1.0)
    with serving.connect() as connection:
        connection.sendall(CHUNKED + b"1\r\nx\r\n0\r\n")
        sent = 0
        try:
            for number in range(60):
                connection.sendall(b"t%d: v\r\n" % number)
                sent += 1
                time.sleep(0.1)
        except OSError:
            pass
        answer = receive_all(connection)
    assert sent < 60
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_trailers_are_no_headers(start_serving: Start, digits: np.ndarray) -> None:
    serving = start_serving()
    body, headers = binary_request(digits[:1])
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST /v2/models/{serving.model}/infer HTTP/1.1\r\nHost: localhost\r\n{fields}"
    with serving.connect() as connection:
        for trailer in (
            b"",
            b"Host: evil.example\r\nContent-Encoding: br\r\nInference-Header-Content-Length: 1\r\n",
        ):
            connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
            connection.sendall(b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, trailer))
            assert receive_answer(connection).startswith(b"HTTP/1.1 200")


def test_a_body_in_small_chunks_is_taken(start_serving: Start, digits: np.ndarray) -> None:
    serving = start_serving()
    body, headers = binary_request(np.concatenate([digits] * 2))
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST /v2/models/{serving.model}/infer HTTP/1.1\r\nHost: localhost\r\n{fields}"
    parts = (body[begin : begin + 10] for begin in range(0, len(body), 10))
    with serving.connect() as connection:
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n")
        assert receive_answer(connection).startswith(b"HTTP/1.1 200")


def infer(serving: ServingProcess, body: bytes, more: bytes = b"") -> bytes:
    """Write a request for inference."""
    head = f"POST /v2/models/{serving.model}/infer HTTP/1.1\r\nHost: localhost\r\n"
    return head.encode() + b"Content-Length: %d\r\n" % len(body) + more + b"\r\n" + body


def patient(serving: ServingProcess) -> socket.socket:
    """Connect with room for little, so that what is not read stays with the service."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", serving.port))
    return connection


def test_what_is_echoed_cannot_be_long(start_serving: Start, digits: np.ndarray) -> None:
    serving = start_serving(write_seconds=60.0)
    attack = infer(serving, json.dumps(request(digits[:1], id="y" * (15 * 10**6))).encode())
    with bounded(serving), ExitStack() as opened:
        for _ in range(60):
            connection = opened.enter_context(patient(serving))
            connection.sendall(attack)
            connection.recv(1)  # it is answered, and what more there is is not read


def test_requests_whose_answers_nobody_takes_are_few(start_serving: Start) -> None:
    serving = start_serving(fresh=True, write_seconds=60.0)
    small = b"GET / HTTP/1.1\r\nHost:localhost\r\n\r\n"
    with bounded(serving), ExitStack() as opened:
        for _ in range(100):
            connection = opened.enter_context(serving.connect())
            connection.settimeout(0.2)
            with suppress(OSError):  # it does not take them, or ends
                connection.sendall(LARGE * 2 + small * 30_000)
        for _ in range(10):  # until all of them were looked at
            serving.assert_live()


def test_of_answers_that_nobody_takes_most_are_dropped(start_serving: Start) -> None:
    serving = start_serving(write_seconds=60.0, unread_bytes=MEBIBYTE)
    many = LARGE * 7 + LARGE[:-2] + b"Connection: close\r\n\r\n"  # more than the system's buffers take
    with serving.connect() as connection:
        connection.sendall(many)
        whole = len(receive_all(connection))
    before = open_files(serving)
    with ExitStack() as opened:
        clients = [opened.enter_context(patient(serving)) for _ in range(60)]
        for connection in clients:
            connection.sendall(many)
        serving.assert_live()  # all of them were accepted before
        end = time.monotonic() + 60
        while open_files(serving) > before + 30 and time.monotonic() < end:
            time.sleep(0.1)
        received = [len(receive_all(each)) for each in clients]
    assert sum(size < whole for size in received) >= 30
    assert whole in received


def open_files(serving: ServingProcess) -> int:
    return len(list(Path(f"/proc/{serving.process.pid}/fd").iterdir()))
