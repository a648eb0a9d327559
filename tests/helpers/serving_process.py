"""A service in a process of its own, with the limits that a test gives it, and raw sockets to it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx


class ServingProcess:
    """A running service; what it printed on stderr is kept in a file."""

    owner_key = "of-the-test"

    def __init__(self, model: Path, folder: Path, limits: dict[str, Any]) -> None:
        self.errors = folder / "stderr.txt"
        store = folder / "store.sqlite"
        arguments = json.dumps(
            {"model": str(model), "store": str(store), "limits": limits, "owner_key": self.owner_key}
        )
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, __file__, arguments], stdout=subprocess.PIPE, stderr=errors, cwd=folder
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.errors.read_text()
        self.port = int(line)
        self.url = f"http://127.0.0.1:{self.port}"
        self.model: str = self.get("/api/models").json()["default"]

    def connect(self, timeout: float = 30) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=30)

    def memory(self, figure: str = "VmRSS") -> int:
        """Bytes of memory that the process takes; VmHWM for the most since `forget_peak`."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(f"{figure}:"))
        return int(line.split()[1]) * 1024

    def forget_peak(self) -> None:
        """Begin to watch for the most memory anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    @contextmanager
    def as_owner(self) -> Iterator[httpx.Client]:
        """A client that has opened the printed address, and sends the page's token."""
        with httpx.Client(base_url=self.url, timeout=60, follow_redirects=True) as client:
            page = client.get("/", params={"key": self.owner_key}).text
            client.headers["X-Digitlab-Token"] = page.split('name="digitlab-token" content="')[1].split('"')[
                0
            ]
            yield client

    def assert_live(self) -> None:
        """The service says that it is alive, on a connection of its own."""
        with self.connect() as connection:
            connection.sendall(
                b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            assert receive_all(connection).startswith(b"HTTP/1.1 200")

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def receive_all(connection: socket.socket) -> bytes:
    """Read until the other side closes or resets."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def receive_answer(connection: socket.socket) -> bytes:
    """Read one answer that has a length."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def main() -> None:
    from digitlab.serving.server import serve
    from digitlab.serving.settings import Limits, Settings

    given = json.loads(sys.argv[1])
    limits = Limits(**given["limits"])
    settings = Settings(
        model=given["model"],
        port=0,
        store=Path(given["store"]),
        limits=limits,
        owner_key=given["owner_key"],
    )
    serve(settings, lambda port: print(port, flush=True))


if __name__ == "__main__":
    main()
