"""A service that answers nothing ends its benchmark with one line, and is not waited for."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler

import pytest
from service import OURS, Server, _soak, _watched

from digitlab.errors import DigitlabError

pytestmark = pytest.mark.slow  # each run of the load generator is a process that imports the digits


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as waiting:
        yield waiting
        waiting.kill()


@pytest.fixture
def mute(process: subprocess.Popen[str]) -> Iterator[Server]:
    """A server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        yield Server(OURS, listening.getsockname()[1], "/", process)


class _Answering(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def alive(process: subprocess.Popen[str]) -> Iterator[Server]:
    with HTTPServer(("127.0.0.1", 0), _Answering) as answering:
        thread = threading.Thread(target=answering.serve_forever)
        thread.start()
        yield Server(OURS, answering.server_port, "/", process)
        answering.shutdown()
        thread.join()


@pytest.fixture
def absent(process: subprocess.Popen[str]) -> Server:
    """A server whose port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return Server(OURS, listening.getsockname()[1], "/", process)


def test_memory_is_not_compared_where_nothing_is_answered(mute: Server) -> None:
    with pytest.raises(DigitlabError, match=r"digitlab answered nothing within 10 s"):
        _soak(mute, peak=1, requests=1)


def test_a_service_that_is_not_alive_under_load_is_an_error(absent: Server) -> None:
    with pytest.raises(DigitlabError, match="digitlab did not say that it is alive"), _watched(absent):
        pass


def test_a_load_shorter_than_the_pause_between_checks_has_one_check(alive: Server) -> None:
    """Of no times the longest would be no number."""
    with _watched(alive) as waits:
        pass
    assert len(waits) == 1
