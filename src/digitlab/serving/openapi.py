"""Parts of the OpenAPI description that FastAPI does not find in the routes."""

from __future__ import annotations

from copy import deepcopy
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
"""Request body of a route that takes a picture, as the body itself or in a form."""

READ_BODY: dict[str, Any] = deepcopy(PICTURE_BODY)
"""`PICTURE_BODY` with a form field for the number of digits in a row."""
READ_BODY["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]["length"] = {
    "type": "string",
    "description": "Number of digits in each row, if known: 5, 3-8, 3- or -8.",
}


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe the JSON body of a route that parses it itself."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


READING: dict[str, Any] = {
    "description": "The result",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reading"}}},
}
"""Response with the result of reading a picture."""


def describe(web: FastAPI) -> None:
    """Add the inference protocol, which has no FastAPI routes, and the schema of errors."""
    generate = web.openapi

    def openapi() -> dict[str, Any]:
        if web.openapi_schema is None:
            schema = generate()
            for methods in schema["paths"].values():
                for operation in methods.values():
                    if "422" in operation["responses"]:  # the service does not use FastAPI's own schema
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

_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT = {"type": "integer", "minimum": 0}
_BOX = {
    "type": "array",
    "items": _COUNT,
    "minItems": 4,
    "maxItems": 4,
    "description": "Left, top, width and height in pixels of the upright page.",
}
_DIGIT = {"type": "integer", "minimum": 0, "maximum": 9}

_READING_SCHEMAS: dict[str, Any] = {
    "Reading": _object(
        ("status", "text", "digits", "lines", "notes", "reason"),
        status={"enum": ["ok", "rejected"]},
        text={
            "type": "string",
            "description": "The digits, `?` for ink that was not read; a newline between lines.",
        },
        digits={"type": "array", "items": {"$ref": "#/components/schemas/ReadDigit"}},
        lines={"type": "array", "items": {"$ref": "#/components/schemas/ReadLine"}},
        notes={"type": "array", "items": _TEXT, "description": "What was left out or guessed."},
        reason={"type": ["string", "null"], "description": "Why the picture was rejected."},
    ),
    "ReadLine": _object(
        ("text", "confidence", "alternatives", "box", "page"),
        text=_TEXT,
        confidence={**_SHARE, "description": "Probability that the whole line is right."},
        alternatives={
            "type": "array",
            "items": _object(("text", "probability"), text=_TEXT, probability=_SHARE),
        },
        box=_BOX,
        page={**_COUNT, "description": "The page of the file, from 0."},
    ),
    "ReadDigit": _object(
        ("digit", "confidence", "box", "line", "reason", "opinions"),
        digit=_DIGIT,
        confidence=_SHARE,
        box=_BOX,
        line={**_COUNT, "description": "Its line, an index in `lines`."},
        reason={"type": ["string", "null"], "description": "Why its ink was not read."},
        opinions={
            "description": "The separate results of row reader and classifier.",
            "oneOf": [
                {"type": "null"},
                _object(
                    ("row", "form"),
                    row=_object(
                        ("digit", "probability"),
                        digit={"type": ["integer", "null"], "minimum": 0, "maximum": 9},
                        probability=_SHARE,
                    ),
                    form=_object(
                        ("digit", "probability", "likely_digit"),
                        digit=_DIGIT,
                        probability=_SHARE,
                        likely_digit={**_SHARE, "description": "Probability that the ink is a digit."},
                    ),
                ),
            ],
        },
    ),
}

_SCHEMAS: dict[str, Any] = {
    **_READING_SCHEMAS,
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
    "/v2/health/ready": _get("Is the server ready?", _object(("ready",)), 400),
    "/v2/models/{model}": _get(
        "A network's inputs and outputs", _object(("name", "platform")), 404, 422, model=True
    ),
    "/v2/models/{model}/ready": _get(
        "Is a network ready?", _object(("name", "ready")), 400, 404, 422, model=True
    ),
    "/v2/models/{model}/infer": {"post": _INFER, "parameters": [_MODEL]},
}
