"""Clients that are slow, endless or rude are dropped; others are answered meanwhile. Real sockets."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import pytest

from serving_process import ServingProcess, receive_all, receive_answer

pytestmark = pytest.mark.slow

QUICK = {"header_seconds": 1.0, "body_seconds": 1.0, "idle_seconds": 2.0, "write_seconds": 1.5}

Start = Callable[..., ServingProcess]
POST = b"POST /api/recognize HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def serving(start_serving: Start) -> ServingProcess:
    return start_serving(**QUICK)


def is_cut_off(connection: socket.socket, parts: Iterable[bytes], pause: float) -> bool:
    """Send parts with pauses of so many seconds, and say whether the service closes before the last one."""
    for part in parts:
        try:
            connection.sendall(part)
        except OSError:
            return True
        time.sleep(pause)
    return False


def test_headers_that_trickle_are_cut_off(serving: ServingProcess) -> None:
    with serving.connect() as connection:
        letters = b"GET /v2 HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200
        assert is_cut_off(connection, (bytes([letter]) for letter in letters), 0.1)
        answer = receive_all(connection)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_a_request_that_is_never_begun_is_cut_off(serving: ServingProcess) -> None:
    with serving.connect() as connection:
        assert receive_all(connection) == b""


def test_a_body_that_stops_is_cut_off_with_a_word(serving: ServingProcess) -> None:
    with serving.connect() as connection:
        connection.sendall(POST + b"Content-Length: 1000\r\n\r\nabc")
        answer = receive_all(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]


def test_a_body_that_trickles_is_cut_off_however_steadily(serving: ServingProcess) -> None:
    with serving.connect() as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        assert is_cut_off(connection, [b"1\r\nx\r\n"] * 100, 0.2)


def test_an_endless_body_is_cut_off_at_its_limit(start_serving: Start) -> None:
    serving = start_serving(picture_bytes=100_000)
    sent, answer = 0, b""
    with serving.connect() as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            while sent < 500 * 2**20:
                connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
                sent += 65536
                if sent == 4 * 65536:
                    answer = receive_answer(connection)
        except OSError:
            pass
    assert answer.startswith(b"HTTP/1.1 413")
    assert sent < 500 * 2**20


def test_an_announced_body_that_is_too_long_is_refused_before_it_is_sent(serving: ServingProcess) -> None:
    with serving.connect() as connection:
        connection.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n")
        assert receive_answer(connection).startswith(b"HTTP/1.1 413")


def test_who_waits_to_be_told_to_send_is_told(serving: ServingProcess) -> None:
    with serving.connect() as connection:
        connection.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"abc")
        assert receive_answer(connection).startswith(b"HTTP/1.1 415")


def test_who_does_not_take_the_answer_is_dropped(serving: ServingProcess) -> None:
    with serving.connect() as connection:
        request = b"GET /docs/files/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
        connection.sendall(request * 20)  # 30 MB, of which nothing is read
        time.sleep(5)
        connection.settimeout(10)
        received = len(receive_all(connection))
    assert received < 25_000_000


def test_an_idle_connection_is_closed_and_a_used_one_is_not(serving: ServingProcess) -> None:
    live = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving.connect() as connection:
        for _ in range(6):
            connection.sendall(live)
            assert receive_answer(connection).startswith(b"HTTP/1.1 200")
            time.sleep(0.5)
        assert receive_all(connection) == b""


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"\r\n\r\n\0\0\0\0",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_json(serving: ServingProcess, nonsense: bytes) -> None:
    with serving.connect() as connection:
        connection.sendall(nonsense)
        answer = receive_all(connection)
    assert answer.startswith(b"HTTP/1.1 4")
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]


UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


@pytest.mark.parametrize("length", [b"Content-Length: %d", b"Transfer-Encoding: chunked"])
def test_a_body_behind_a_wish_for_another_protocol_is_not_taken_for_requests(
    serving: ServingProcess, length: bytes
) -> None:
    hidden = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    head = POST + UPGRADE + length.replace(b"%d", b"%d" % len(hidden)) + b"\r\n\r\n"
    with serving.connect() as connection:
        connection.sendall(head)
        answer = receive_answer(connection)
        with suppress(OSError):  # it is closed
            connection.sendall(hidden)
            answer += receive_all(connection)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"expected no Upgrade" in answer


def test_a_wish_for_another_protocol_alone_is_passed_over(serving: ServingProcess) -> None:
    with serving.connect() as connection:
        for _ in range(2):
            connection.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n" + UPGRADE + b"\r\n")
            assert receive_answer(connection).startswith(b"HTTP/1.1 200")
            connection.sendall(POST + UPGRADE + b"Content-Length: 0\r\n\r\n")
            assert b"expected no Upgrade" not in receive_answer(connection)


def test_endless_headers_are_refused(serving: ServingProcess) -> None:
    with serving.connect() as connection:
        try:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            for number in range(40_000):
                connection.sendall(b"X-%d: %s\r\n" % (number, b"x" * 100))
        except OSError:
            pass
        answer = receive_all(connection)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")


def test_an_upgrade_is_not_taken(serving: ServingProcess) -> None:
    with serving.connect() as connection:
        connection.sendall(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert receive_answer(connection).startswith(b"HTTP/1.1 200")


def test_the_connection_that_was_idle_for_longest_makes_room(start_serving: Start) -> None:
    serving = start_serving(connections=20)
    idle = [serving.connect(2) for _ in range(30)]
    serving.assert_live()
    assert receive_all(idle[0]) == b""  # closed
    live = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    idle[-1].sendall(live)
    assert receive_answer(idle[-1]).startswith(b"HTTP/1.1 200")
    for connection in idle:
        connection.close()


def test_hundreds_of_slow_clients_do_not_keep_others_waiting(start_serving: Start) -> None:
    serving = start_serving(body_seconds=20)
    slow = [serving.connect() for _ in range(300)]
    for connection in slow:
        connection.sendall(POST + b"Content-Length: 1000000\r\n\r\nx")
    for _ in range(20):
        serving.assert_live()
    for connection in slow:
        connection.close()


def test_the_service_is_well_after_all_that(serving: ServingProcess) -> None:
    assert serving.get("/v2/health/ready").status_code == 200
    assert serving.process.poll() is None
    assert "Traceback" not in serving.errors.read_text()
