"""The ASGI application of the service."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from digitlab import __version__
from digitlab.errors import DigitlabError
from digitlab.serving import kept, look, models, pages, recognize, studies
from digitlab.serving.inference_protocol import PREFIX, InferenceProtocol
from digitlab.serving.metrics import CONTENT_TYPE
from digitlab.serving.openapi import describe
from digitlab.serving.refusals import (
    Message,
    Receive,
    RefusalError,
    Scope,
    Send,
    error_response,
    internal_error,
    send_error,
)
from digitlab.serving.repeated_refusals import Gate
from digitlab.serving.security import SAFETY_HEADERS
from digitlab.serving.service import Service

logger = logging.getLogger("digitlab.serving")


class Application:
    """ASGI application that checks the host, routes each request and answers all errors.

    Args:
        service: the service to expose.
    """

    def __init__(self, service: Service) -> None:
        self._hosts = service.hosts
        self._metrics = service.metrics
        self._bodies = service.bodies
        self._protocol = InferenceProtocol(service)
        self._web = make_web(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI request."""
        began = time.perf_counter()
        gate: Gate | None = scope.get("digitlab.place")
        if gate is not None:  # admitted before it was parsed; see `WatchedProtocol.data_received`
            gate.coming -= 1
        path: str = scope["path"]
        application: InferenceProtocol | FastAPI = self._web
        headers = SAFETY_HEADERS  # for browsers, which show pages
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            application = self._protocol
            headers = ()
        responder = Responder(send, headers)
        try:
            self._check_host(scope["headers"])
            with self._bodies.body() as body:
                scope["digitlab.body"] = body
                await application(scope, receive, responder.send)
        except DigitlabError as error:
            await send_error(responder.send, error)
        except Exception as error:
            if responder.complete:  # Starlette raises it again after our handler has answered and logged it
                return
            logger.exception("%s %s failed", scope["method"], path)
            if responder.status:  # the answer has begun, and can only be cut off
                raise
            await send_error(responder.send, internal_error(error))
        finally:
            self._metrics.count(path, responder.status, time.perf_counter() - began)

    def warm_up(self) -> None:
        """Generate the OpenAPI schema ahead of the first request; called in a thread."""
        self._web.openapi()

    def _check_host(self, headers: list[tuple[bytes, bytes]]) -> None:
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) == 1 and self._hosts.allows(hosts[0]):
            return
        received = ", ".join(host.decode("latin-1") for host in hosts)[:80]
        raise RefusalError(
            400,
            f"Host {received!r} is not a name of this service: use another, or start it with --allow-host",
        )


class Responder:
    """ASGI `send` that adds headers to one answer and records how far it has been sent.

    Args:
        send: the ASGI request's send callable.
        headers: names and values to add where the answer does not set them itself.

    Attributes:
        status: HTTP status of the answer; 0 until it has begun.
        complete: whether the last part has been sent.
    """

    def __init__(self, send: Send, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self._send = send
        self._headers = headers
        self.status = 0
        self.complete = False

    async def send(self, message: Message) -> None:
        """Send one ASGI message of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._headers:
                own = list(message["headers"])
                names = {name.lower() for name, _ in own}
                added = [(name, value) for name, value in self._headers if name not in names]
                message["headers"] = own + added
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.complete = True


def make_web(service: Service) -> FastAPI:
    """Create the FastAPI application of the pages and their API."""
    web = FastAPI(title="digitlab", version=__version__, docs_url=None, redoc_url=None)
    web.add_exception_handler(DigitlabError, _digitlab_error)
    web.add_exception_handler(RequestValidationError, _validation_error)
    web.add_exception_handler(HTTPException, _http_error)
    web.add_exception_handler(Exception, _internal_error)
    for module in (pages, recognize, look, models, studies, kept):
        web.include_router(module.router(service))
    pages.mount_files(web)
    web.include_router(_operation(service))
    describe(web)
    web.middleware_stack = web.build_middleware_stack()  # built now, not while the first request waits
    return web


def _operation(service: Service) -> APIRouter:
    routes = APIRouter(tags=["operation"])

    @routes.get("/metrics", summary="Show metrics for Prometheus", response_class=PlainTextResponse)
    def show_metrics() -> Response:
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)

    return routes


async def _internal_error(request: Request, error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return error_response(internal_error(error))


async def _digitlab_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, DigitlabError)
    return error_response(error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = repr(request.url.path[:80])
    if error.status_code == HTTPStatus.NOT_FOUND:
        text = f"no such path: {path}; see /docs"
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        text = f"{path} does not accept {request.method}: see /docs"
    else:
        text = HTTPStatus(error.status_code).phrase
    return error_response(RefusalError(error.status_code, text, error.headers))


async def _validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fault = error.errors()[0]
    _, *steps = fault["loc"]  # the first says where the field was: in the body, the path or the query
    field = ".".join(str(step) for step in steps)
    return error_response(RefusalError(422, f"{field}: {fault['msg']}", field=field))
