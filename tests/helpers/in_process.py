"""A service in this process and a client of it: no socket between them."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import Any, Self

import httpx

from digitlab.serving.app import Application
from digitlab.serving.service import Service
from digitlab.serving.settings import Settings


class Client:
    """Speaks to a service that lives in an event loop of its own; any thread may use it."""

    def __init__(self, settings: Settings, address: str = "127.0.0.1") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.service, self._http = self._run(self._open(settings, address))

    async def _open(self, settings: Settings, address: str) -> tuple[Service, httpx.AsyncClient]:
        service = Service(settings)
        transport = httpx.ASGITransport(
            Application(service), raise_app_exceptions=False, client=(address, 50_000)
        )
        return service, httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return self._run(self._http.request(method, path, **arguments))

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, **arguments)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._http.aclose())
        self._run(self.service.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def token_of(client: Client) -> dict[str, str]:
    """The header that the service's own pages send with what changes state, of a client that is the owner."""
    client.get("/", params={"key": client.service.settings.owner_key})
    found = re.search(r'name="digitlab-token" content="([^"]+)"', client.get("/").text)
    assert found
    return {"X-Digitlab-Token": found[1]}
