"""The server process: listening, signals and graceful shutdown."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from digitlab.errors import DigitlabError, UserError
from digitlab.serving.app import Application
from digitlab.serving.connections import Watch, watched
from digitlab.serving.service import Service
from digitlab.serving.settings import Settings

logger = logging.getLogger("digitlab.serving")

BACKLOG = 2048
GRACE_SECONDS = 30
"""Seconds that requests in flight may take after the service was told to end."""
SWEEP_SECONDS = 0.5
"""Seconds between two checks of the connections."""


class Server(uvicorn.Server):
    """Uvicorn's server with limits on its connections and its own handling of signals.

    Args:
        service: the service to run.
        watch: the server's connections and their limits.
        on_ready: callback for when the first prediction has passed.
    """

    def __init__(self, service: Service, watch: Watch, on_ready: Callable[[], None]) -> None:
        self._application = Application(service)
        config = uvicorn.Config(
            self._application,
            http=watched(watch),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=round(watch.limits.idle_seconds),
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        super().__init__(config)
        self._service = service
        self._watch = watch
        self._on_ready = on_ready
        self.interrupted = False
        self.failure: Exception | None = None
        self._reload_asked = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, and load the network meanwhile."""
        await super().startup(sockets)
        self._loading = asyncio.create_task(self._load())
        self._sweeping = asyncio.create_task(self._sweep())

    async def _load(self) -> None:
        try:
            await self._service.networks.get()
            self._on_ready()
        except Exception as error:
            self.failure = error
            self.should_exit = True
        else:
            await asyncio.to_thread(self._application.warm_up)

    async def _sweep(self) -> None:
        """Check the connections periodically, also while the service ends and waits for them."""
        while True:
            self._watch.sweep(asyncio.get_running_loop().time())
            await asyncio.sleep(SWEEP_SECONDS)

    async def _reload(self) -> None:
        try:
            await self._service.networks.reload()
        except DigitlabError as error:
            logger.error("the network was not reloaded, the old one stays in use: %s", error)
        else:
            logger.info("the network was reloaded")

    async def on_tick(self, counter: int) -> bool:
        """Do what signals asked for, and return whether to end."""
        if self._reload_asked:
            self._reload_asked = False
            self._reloading = asyncio.create_task(self._reload())
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down gracefully."""
        self._loading.cancel()
        await super().shutdown(sockets)
        if self.force_exit:  # requests are cut off, as was asked: no traceback for each
            logging.getLogger("uvicorn.error").disabled = True
        self._sweeping.cancel()
        await self._service.close()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Do nothing: `signals` handles signals, also before the event loop starts and after it has ended."""
        yield

    @contextmanager
    def signals(self) -> Generator[None]:
        """Shut down gracefully on a signal, which, unlike in uvicorn, is not raised again."""
        handlers: dict[int, Callable[[int, FrameType | None], None]] = dict.fromkeys(
            (signal.SIGINT, signal.SIGTERM), self.handle_exit
        )
        if hasattr(signal, "SIGHUP"):
            handlers[signal.SIGHUP] = self.handle_reload
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Become unready, and end once requests in flight are answered; a second signal does not wait."""
        self._service.stopping = True
        self.interrupted = sig == signal.SIGINT
        self.force_exit = self.should_exit
        self.should_exit = True

    def handle_reload(self, sig: int, frame: FrameType | None) -> None:
        """Load the network again at the next tick."""
        self._reload_asked = True


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket, before anything is loaded.

    Raises:
        UserError: the port is in use, or the address does not belong to this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # elsewhere it would let two services share the port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise UserError(
            f"{host} port {port}: cannot be used: {error.strerror or error}; name another --port or --host"
        ) from None
    return listener


def serve(settings: Settings, on_ready: Callable[[int], None]) -> None:
    """Run the service until a signal ends it.

    Args:
        settings: settings of the service.
        on_ready: callback that receives the port once the service answers.

    Raises:
        UserError: the port is in use, or the network cannot be loaded.
        KeyboardInterrupt: Ctrl-C ended the service, which was shut down gracefully.
    """
    with listen(settings.host, settings.port) as listener:
        port = listener.getsockname()[1]
        service = Service(settings)
        watch = Watch(settings.limits, service.metrics.count_refusal)
        server = Server(service, watch, lambda: on_ready(port))
        with server.signals():
            server.run([listener])
    if server.failure:
        raise server.failure
    if server.interrupted:
        raise KeyboardInterrupt
