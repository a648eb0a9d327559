"""What the API's description says beside what FastAPI finds in the routes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from digitlab.serving.tensors import DATA_TYPES, INPUT, OUTPUT

Responses = dict[int | str, dict[str, Any]]

_ERROR_REF = {"$ref": "#/components/schemas/Error"}


def errors(*statuses: int) -> Responses:
    """Describe the errors of a route: always a JSON object with one line in `error`."""
    return {status: _json(HTTPStatus(status).phrase, _ERROR_REF) for status in statuses}


PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A picture file: PNG, JPEG, WebP, BMP, TIFF or GIF.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"image": {"type": "string", "format": "binary"}},
                    "required": ["image"],
                }
            },
        },
    }
}
"""Of a route that takes a picture as it is or in a form."""


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe the JSON body of a route that reads it itself."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def describe(web: FastAPI) -> None:
    """Add the inference protocol, which has no FastAPI routes, and the form of errors."""
    generate = web.openapi

    def openapi() -> dict[str, Any]:
        if web.openapi_schema is None:
            schema = generate()
            for methods in schema["paths"].values():
                for operation in methods.values():
                    if "422" in operation["responses"]:  # FastAPI's own form is not what is answered
                        operation["responses"] |= _by_text(errors(422))
            schema["components"] = {"schemas": _SCHEMAS}
            schema["paths"] |= _PATHS
            web.openapi_schema = schema
        return web.openapi_schema

    web.openapi = openapi  # type: ignore[method-assign]


def _by_text(responses: Responses) -> dict[str, Any]:
    return {str(status): response for status, response in responses.items()}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


_TEXT = {"type": "string"}
_SHAPE = {"type": "array", "items": {"type": "integer"}}
_NUMBERS = {"type": "array", "items": {}}
_PARAMETERS = {"type": "object"}

_SCHEMAS: dict[str, Any] = {
    "Error": _object(("error",), error={"type": "string", "description": "What was expected, in one line."}),
    "Tensor": _object(
        ("name", "shape", "datatype"),
        name=_TEXT,
        shape=_SHAPE,
        datatype=_TEXT,
        parameters=_PARAMETERS,
        data=_NUMBERS,
    ),
    "InferenceRequest": _object(
        ("inputs",),
        id=_TEXT,
        parameters=_PARAMETERS,
        inputs={
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": _object(
                ("name", "shape", "datatype", "data"),
                name={"const": INPUT},
                shape={"type": "array", "items": {"type": "integer"}, "example": [1, 28, 28]},
                datatype={"enum": list(DATA_TYPES)},
                parameters=_PARAMETERS,
                data={
                    "type": "array",
                    "items": {},
                    "description": "Values in 0..255, row by row, flat or nested; white ink on black.",
                },
            ),
        },
        outputs={"type": "array", "maxItems": 1, "items": _object(("name",), name={"const": OUTPUT})},
    ),
    "InferenceAnswer": _object(
        ("model_name", "outputs"),
        model_name=_TEXT,
        model_version=_TEXT,
        id=_TEXT,
        outputs={"type": "array", "items": {"$ref": "#/components/schemas/Tensor"}},
    ),
}

_MODEL = {"name": "model", "in": "path", "required": True, "schema": _TEXT}


def _get(summary: str, schema: dict[str, Any], *statuses: int, model: bool = False) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": summary,
        "tags": ["Open Inference Protocol"],
        "responses": {"200": _json("OK", schema), **_by_text(errors(*statuses))},
    }
    return {"get": operation, **({"parameters": [_MODEL]} if model else {})}


_INFER = _get("Classify images", {"$ref": "#/components/schemas/InferenceAnswer"}, 400, 404, 413, 415, 503)[
    "get"
]
_INFER["requestBody"] = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/InferenceRequest"}}},
}

_PATHS: dict[str, Any] = {
    "/v2": _get("The server", _object(("name", "version", "extensions"))),
    "/v2/health/live": _get("Is the server alive?", _object(("live",))),
    "/v2/health/ready": _get("Has a prediction passed?", _object(("ready",)), 400),
    "/v2/models/{model}": _get(
        "A network's inputs and outputs", _object(("name", "platform")), 404, 422, model=True
    ),
    "/v2/models/{model}/ready": _get(
        "Does a network answer?", _object(("name", "ready")), 400, 404, 422, model=True
    ),
    "/v2/models/{model}/infer": {"post": _INFER, "parameters": [_MODEL]},
}
