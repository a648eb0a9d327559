"""Requests of the Open Inference Protocol, as bytes and as values."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

DATA_TYPES = {"uint8": "UINT8", "float32": "FP32"}


def tensor(images: np.ndarray, **changes: Any) -> dict[str, Any]:
    """The JSON of an input, its data flat."""
    values = {
        "name": "images",
        "shape": list(images.shape),
        "datatype": DATA_TYPES[images.dtype.name],
        "data": images.ravel().tolist(),
    }
    return {key: value for key, value in (values | changes).items() if value is not ...}


def request(images: np.ndarray, **changes: Any) -> dict[str, Any]:
    """The JSON of a request."""
    return {"inputs": [tensor(images)], **changes}


def binary_request(images: np.ndarray, **changes: Any) -> tuple[bytes, dict[str, str]]:
    """A request whose tensor follows the JSON as bytes, and its headers."""
    raw = images.tobytes()
    described = tensor(images, data=..., parameters={"binary_data_size": len(raw)})
    text = orjson.dumps({"inputs": [described], **changes})
    return text + raw, {"Inference-Header-Content-Length": str(len(text))}
