"""Answers of the service: JSON, and errors that are always `{"error": "one line"}`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import orjson
from starlette.responses import Response

from digitlab.errors import DigitlabError, ImageError, StoreError, UserError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON = b"application/json"


class RefusalError(UserError):
    """Refusal of a request, with the HTTP status of its answer.

    Args:
        status: status of the HTTP answer.
        message: one line for people.
        headers: further headers of the answer.
        field: field of the request that is at fault, if there is one.
    """

    def __init__(
        self,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        *,
        field: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.field = field


BUSY = "the service is overloaded: try again in a moment"


def busy(message: str = BUSY) -> RefusalError:
    """Return the refusal of a request for which the service has no capacity at the moment."""
    return RefusalError(503, message, {"Retry-After": "1"})


def internal_error(error: Exception) -> RefusalError:
    """Return the refusal that reports an internal error to the client."""
    return RefusalError(500, f"internal error: {type(error).__name__}; the service's log has the traceback")


def status_of(error: DigitlabError) -> int:
    """Return the HTTP status with which an error is answered."""
    match error:
        case RefusalError(status=status):
            return status
        case ImageError(accepted=False):
            return 415
        case StoreError():
            return 503
        case UserError():
            return 422
        case _:
            return 500


def encode(values: Any) -> bytes:
    """Encode values as JSON; NumPy's arrays and numbers become lists and numbers."""
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def json_response(values: Any, status: int = 200) -> Response:
    """Return a route's JSON response."""
    return Response(encode(values), status, media_type="application/json")


def error_body(message: str, field: str | None = None) -> bytes:
    """Encode the body of an error, with the field at fault if there is one."""
    values = {"error": " ".join(message.split())}
    return encode(values if field is None else {**values, "field": field})


def error_response(error: DigitlabError) -> Response:
    """Return a route's response to an error."""
    headers, field = (error.headers, error.field) if isinstance(error, RefusalError) else (None, None)
    return Response(error_body(str(error), field), status_of(error), headers, "application/json")


async def send_body(
    send: Send, status: int, body: bytes, content_type: bytes = JSON, headers: Mapping[str, str] | None = None
) -> None:
    """Send a complete answer.

    Args:
        send: the ASGI request's send callable.
        status: HTTP status of the answer.
        body: body of the answer.
        content_type: media type of the body.
        headers: further headers, beside content type and length.
    """
    fields = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    fields += [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def send_error(send: Send, error: DigitlabError) -> None:
    """Send an error as the answer."""
    response = error_response(error)
    await send(
        {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )
    await send({"type": "http.response.body", "body": response.body})
