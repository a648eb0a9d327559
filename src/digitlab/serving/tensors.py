"""Tensors of the Open Inference Protocol: the images of a request, and the probabilities of its answer.

Both forms are read and written: JSON numbers, flat or nested, and the binary tensor data extension, in which
the bytes of all tensors follow the JSON.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson

from digitlab.data.pixels import range_problem
from digitlab.serving.refusals import RefusalError, encode

INPUT = "images"
OUTPUT = "probabilities"
DATA_TYPES = {"UINT8": np.dtype(np.uint8), "FP32": np.dtype("<f4")}
VERSION = "1"
"""Version of every network: a bundle is never changed."""
JSON_LENGTH = "Inference-Header-Content-Length"
"""Header with the length of the JSON in a body where the bytes of binary tensors follow it."""
MOST_IMAGES = 1024
"""Largest number of images in one request."""
MOST_ID = 1000
"""Largest number of characters in a request's id, which is repeated in the answer."""

_PIXELS = 28 * 28
_SHAPES = "[n, 28, 28] or [n, 28, 28, 1]"
_SIDES = ([28, 28], [28, 28, 1])


@dataclass(frozen=True, eq=False, slots=True)
class InferRequest:
    """A parsed inference request.

    Attributes:
        id: identifier to repeat in the answer; None if the request has none.
        images: uint8 or float32 [n, 28, 28] in 0..255; images scaled to 0..1 have been refused.
        binary: whether the answer's tensor follows the JSON as bytes.
    """

    id: str | None
    images: np.ndarray
    binary: bool


def read_request(body: bytes, json_length: int | None) -> InferRequest:
    """Parse the body of an inference request.

    Args:
        body: JSON, and the bytes of binary tensors behind it.
        json_length: length of the JSON in bytes; None if nothing follows it.

    Raises:
        RefusalError: the body is not an inference request, or the networks do not take its tensors.
    """
    text, raw = (body, b"") if json_length is None else (body[:json_length], body[json_length:])
    if json_length is not None and not 0 <= json_length <= len(body):
        raise _wrong(f"{JSON_LENGTH}: expected at most the body's {len(body)} bytes")
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _wrong(f"expected JSON: {error}") from None
    if not isinstance(values, dict):
        raise _wrong("expected a JSON object with inputs")
    identity = values.get("id")
    if identity is not None and not isinstance(identity, str):
        raise _wrong("id: expected a string")
    if identity is not None and len(identity) > MOST_ID:
        raise _wrong(f"id: expected at most {MOST_ID:,} characters, received {len(identity):,}")
    return InferRequest(identity, _images(values.get("inputs"), raw), _wants_binary(values))


def _images(inputs: Any, raw: bytes) -> np.ndarray:
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise _wrong(f"inputs: expected a list of one tensor, {INPUT}")
    tensor = inputs[0]
    if tensor.get("name") != INPUT:
        raise _wrong(f"inputs[0].name: expected {INPUT!r}")
    kind = tensor.get("datatype")
    if not isinstance(kind, str) or kind not in DATA_TYPES:
        raise _wrong(f"inputs[0].datatype: expected {' or '.join(DATA_TYPES)}")
    count = _count(tensor.get("shape"))
    size = _parameters(tensor, "inputs[0]").get("binary_data_size")
    if size is not None:
        flat = _from_bytes(raw, size, DATA_TYPES[kind])
    elif raw:
        raise _wrong("inputs[0].parameters.binary_data_size: expected a value, since bytes follow the JSON")
    else:
        flat = _from_json(tensor.get("data"), kind, tensor["shape"])
    if len(flat) != count * _PIXELS:
        raise _wrong(f"inputs[0].data: expected {count * _PIXELS} values for its shape, received {len(flat)}")
    images = flat.reshape(count, 28, 28)
    problem = range_problem(images)
    if problem:
        raise _wrong(f"inputs[0].data: {problem}")
    return images


def _count(shape: Any) -> int:
    """Return the number of images that a shape stands for."""
    # JSON's true and 28.0 equal the numbers 1 and 28 in Python, and are neither sizes nor counts.
    if not isinstance(shape, list) or not all(type(size) is int for size in shape):
        raise _wrong(f"inputs[0].shape: expected {_SHAPES}, whole numbers")
    count, *sides = shape or [-1]
    if sides not in _SIDES or count < 0:
        raise _wrong(f"inputs[0].shape: expected {_SHAPES}")
    if count > MOST_IMAGES:
        raise _wrong(f"inputs[0].shape: expected at most {MOST_IMAGES} images in one request")
    return count


def _from_bytes(raw: bytes, size: Any, kind: np.dtype) -> np.ndarray:
    if type(size) is not int or size != len(raw) or len(raw) % kind.itemsize:
        raise _wrong(
            f"inputs[0].parameters.binary_data_size: expected the {len(raw)} bytes that follow the JSON"
        )
    return np.frombuffer(raw, kind)


def _from_json(data: Any, kind: str, shape: list[int]) -> np.ndarray:
    if not isinstance(data, list):
        raise _wrong("inputs[0].data: expected a list of numbers")
    flat = _flattened(data, shape) if data and isinstance(data[0], list) else data
    try:
        if kind == "UINT8":
            return np.frombuffer(bytes(flat), np.uint8)
        return np.frombuffer(array("f", flat), np.float32)
    except (ValueError, OverflowError):
        numbers = "whole numbers" if kind == "UINT8" else "numbers"
        raise _wrong(f"inputs[0].data: expected {numbers} in 0..255") from None
    except TypeError:
        raise _wrong(f"inputs[0].data: expected {kind} numbers") from None


def _flattened(data: list[Any], shape: list[int]) -> list[Any]:
    """Flatten nested lists; in a NumPy array, each element would take the memory of the longest text."""
    for size in shape[1:]:
        if not all(isinstance(part, list) and len(part) == size for part in data):
            raise _wrong("inputs[0].data: expected numbers, flat or nested as in its shape")
        data = list(chain.from_iterable(data))
    return data


def _wants_binary(values: dict[str, Any]) -> bool:
    everywhere = _parameters(values, "the request").get("binary_data_output", False)
    outputs = values.get("outputs")
    if not outputs:
        return bool(everywhere)
    if not isinstance(outputs, list) or len(outputs) != 1 or not isinstance(outputs[0], dict):
        raise _wrong(f"outputs: expected a list of one, {OUTPUT}")
    if outputs[0].get("name") != OUTPUT:
        raise _wrong(f"outputs[0].name: expected {OUTPUT!r}")
    parameters = _parameters(outputs[0], "outputs[0]")
    if parameters.get("classification"):
        raise _wrong(
            "outputs[0].parameters.classification: expected none; the digit is the largest probability"
        )
    return bool(parameters.get("binary_data", everywhere))


def _parameters(place: dict[str, Any], name: str) -> dict[str, Any]:
    parameters = place.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise _wrong(f"{name}.parameters: expected an object")
    return parameters


def write_answer(model: str, request: InferRequest, probabilities: np.ndarray) -> tuple[bytes, int | None]:
    """Encode the body of an answer.

    Args:
        model: id of the network.
        request: request that is answered.
        probabilities: float32 [n, 10].

    Returns:
        The body, and the length of its JSON in bytes if a binary tensor follows it, else None.
    """
    output: dict[str, Any] = {"name": OUTPUT, "datatype": "FP32", "shape": list(probabilities.shape)}
    answer: dict[str, Any] = {"model_name": model, "model_version": VERSION}
    if request.id is not None:
        answer["id"] = request.id
    answer["outputs"] = [output]
    if not request.binary:
        output["data"] = np.ascontiguousarray(probabilities).ravel()
        return encode(answer), None
    raw = probabilities.astype("<f4").tobytes()
    output["parameters"] = {"binary_data_size": len(raw)}
    text = encode(answer)
    return text + raw, len(text)


def _wrong(message: str) -> RefusalError:
    return RefusalError(400, message)
