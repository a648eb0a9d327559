"""The Open Inference Protocol, version 2, over HTTP; https://github.com/kserve/open-inference-protocol

Plain ASGI is used instead of FastAPI: an inference takes a fraction of a millisecond, and so must everything
around it.
"""

from __future__ import annotations

import asyncio
from http import HTTPMethod
from typing import Any

from digitlab import __version__
from digitlab.serving.batching import Batcher
from digitlab.serving.connections import WatchedProtocol
from digitlab.serving.refusals import Receive, RefusalError, Scope, Send, busy, encode, send_body
from digitlab.serving.service import Service
from digitlab.serving.tensors import INPUT, JSON_LENGTH, OUTPUT, VERSION, read_request, write_answer

PREFIX = "/v2"

_JSON_LENGTH_BYTES = JSON_LENGTH.lower().encode()
_LONG = 2**16
"""Bytes from which a body is parsed outside the event loop, so that health checks are answered meanwhile."""


class InferenceProtocol:
    """The protocol's routes as an ASGI application.

    Args:
        service: the service whose networks answer.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._networks = service.networks
        self._limit = service.settings.limits.tensor_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request whose path begins with /v2."""
        match scope["path"].split("/")[2:]:
            case ["models", model, "infer"] | ["models", model, "versions", "1", "infer"]:
                _require(scope, HTTPMethod.POST)
                await self._infer(model, scope, receive, send)
                return
            case [] | [""]:
                answer = 200, _server_metadata()
            case ["health", "live"]:
                answer = 200, {"live": True}
            case ["health", "ready"]:
                answer = self._server_ready()
            case ["models", model, "ready"] | ["models", model, "versions", "1", "ready"]:
                answer = await self._model_ready(model)
            case ["models", model] | ["models", model, "versions", "1"]:
                answer = 200, _model_metadata((await self._networks.get(model)).entry.id)
            case ["models", _, "versions", version, *_] if version != VERSION:
                raise RefusalError(404, f"version: expected {VERSION}, received {version[:80]!r}")
            case _:
                raise RefusalError(404, f"no such path: {scope['path'][:80]!r}; see /docs")
        _require(scope, HTTPMethod.GET)
        await send_body(send, answer[0], encode(answer[1]))

    async def _infer(self, model: str, scope: Scope, receive: Receive, send: Send) -> None:
        network = await self._networks.get(model)
        if network.batcher.full:
            await self._refuse(network.batcher, scope)
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        content = await scope["digitlab.body"].read(headers, receive, self._limit)
        length = _json_length(headers)
        if len(content) < _LONG:
            request = read_request(content, length)
        else:
            request = await asyncio.to_thread(read_request, content, length)
        probabilities = await network.batcher.classify(request.images)
        content, length = write_answer(network.entry.id, request, probabilities)
        if length is None:
            await send_body(send, 200, content)
        else:
            await send_body(send, 200, content, b"application/octet-stream", {JSON_LENGTH: str(length)})

    async def _refuse(self, batcher: Batcher, scope: Scope) -> None:
        """Refuse before the body is parsed, after a delay: immediate retries would take the cores."""
        self._service.metrics.rejections.inc()
        connection: WatchedProtocol | None = scope.get("digitlab.connection")
        if connection is not None:  # a client in the same process has none
            connection.remember_refusal(batcher)
        await asyncio.sleep(self._service.settings.limits.refusal_seconds)
        raise busy()

    def _server_ready(self) -> tuple[int, dict[str, Any]]:
        return _readiness(self._service.ready, {})

    async def _model_ready(self, model: str) -> tuple[int, dict[str, Any]]:
        network = await self._networks.get(model)
        return _readiness(not self._service.stopping, {"name": network.entry.id})


def _readiness(ready: bool, values: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return the protocol's readiness answer: status 200 if ready, 400 if not."""
    if ready:
        return 200, {**values, "ready": True}
    return 400, {
        **values,
        "ready": False,
        "error": "the service is starting or stopping: try again in a moment",
    }


def _require(scope: Scope, method: HTTPMethod) -> None:
    if scope["method"] != method:
        raise RefusalError(405, f"expected {method}, received {scope['method']}", {"Allow": method})


def _json_length(headers: list[tuple[bytes, bytes]]) -> int | None:
    for name, value in headers:
        if name == _JSON_LENGTH_BYTES:
            if not value.isdigit() or len(value) > 12:
                raise RefusalError(400, f"{JSON_LENGTH}: expected a number of bytes")
            return int(value)
    return None


def _server_metadata() -> dict[str, Any]:
    return {"name": "digitlab", "version": __version__, "extensions": ["binary_tensor_data"]}


def _model_metadata(model: str) -> dict[str, Any]:
    return {
        "name": model,
        "versions": [VERSION],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": [-1, 28, 28]}],
        "outputs": [{"name": OUTPUT, "datatype": "FP32", "shape": [-1, 10]}],
    }
