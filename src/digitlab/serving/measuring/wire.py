"""Inference requests of single test digits, encoded as bytes on the wire, for the load generator."""

from __future__ import annotations

import numpy as np
import orjson

from digitlab.serving.tensors import INPUT, OUTPUT


def infer_requests(path: str, images: np.ndarray) -> list[bytes]:
    """Encode a complete HTTP request for each image, with a JSON tensor of its pixels.

    Args:
        path: path of the inference endpoint.
        images: uint8 [n, 28, 28].
    """
    return [_request(path, image) for image in images]


def _request(path: str, image: np.ndarray) -> bytes:
    tensor = {"name": INPUT, "shape": [1, 28, 28], "datatype": "UINT8", "data": image.ravel().tolist()}
    body = orjson.dumps({"inputs": [tensor]})
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def probabilities_in(answer: bytes) -> np.ndarray:
    """Parse the probabilities in the body of an answer, float32 [10]."""
    outputs = {output["name"]: output["data"] for output in orjson.loads(answer)["outputs"]}
    return np.array(outputs[OUTPUT], np.float32).reshape(10)
