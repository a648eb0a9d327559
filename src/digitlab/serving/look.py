"""A look inside a network: each layer's activations for a digit, and the pixels that decide the answer."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from digitlab.bundle.runtime import FEATURES, PROBABILITIES, Classifier
from digitlab.recognition import Recognizer
from digitlab.serving.openapi import PICTURE_BODY, errors
from digitlab.serving.pictures import raw, scaled
from digitlab.serving.recognize import ModelName, picture_of
from digitlab.serving.refusals import RefusalError, json_response
from digitlab.serving.service import Service
from digitlab.serving.uploads import read_upload
from digitlab.spec.recipe import IMAGE_SIDE

PATCH = 4
"""Side of the square that is blanked for the occlusion map, in pixels."""
STRIDE = 2
"""Distance from one blanked square to the next, in pixels."""

_NO_LAYERS = frozenset({FEATURES, PROBABILITIES})  # shown elsewhere, or a layer's second name


def router(service: Service) -> APIRouter:
    """Create the route that shows the inside of a network."""
    routes = APIRouter(prefix="/api", tags=["pictures"])

    @routes.post(
        "/look",
        summary="Show the output of each layer for a digit",
        responses=errors(400, 404, 408, 413, 415, 422, 503),
        openapi_extra=PICTURE_BODY,
    )
    async def look(
        request: Request,
        model: ModelName = None,
        digit: Annotated[int, Query(ge=0, le=1000, description="Index of the digit in the picture.")] = 0,
    ) -> Response:
        network = await service.networks.get(model)
        upload = await read_upload(service, request)
        values = await service.heavy.run(look_inside, network.recognizer, upload.content, digit)
        return json_response({"model": network.entry.id, **values})

    return routes


def look_inside(recognizer: Recognizer, content: bytes, index: int) -> dict[str, Any]:
    """Read a picture; return the layers, probabilities and occlusion map of one digit as plain values.

    Args:
        recognizer: recognizer that reads the picture.
        content: bytes of the picture file.
        index: index of the digit, in reading order.

    Raises:
        ImageError: the file is not a readable picture.
        RefusalError: the picture has no such digit.
    """
    reading = recognizer.read(content)
    if not reading.digits:
        raise RefusalError(422, f"expected a digit, found none: {reading.reason}")
    if index >= len(reading.digits):
        raise RefusalError(404, f"digit: expected less than {len(reading.digits)}, the digits in the picture")
    digit = reading.digits[index]
    classifier = recognizer.classifier
    return {
        "digits": len(reading.digits),
        "index": index,
        "digit": {**digit.to_values(), "image": picture_of(digit)},
        "image": raw(digit.image),
        "layers": layers(classifier, digit.image),
        "probabilities": list(classifier.calibrated(digit.image[None])[0]),
        "occlusion": {
            "size": PATCH,
            "stride": STRIDE,
            "shape": [IMAGE_SIDE, IMAGE_SIDE],
            "drop": np.round(occlusion(classifier, digit.image), 4),
        },
    }


def layers(classifier: Classifier, image: np.ndarray) -> list[dict[str, Any]]:
    """Return each layer's activations for an image, as plain values.

    Args:
        classifier: classifier of the network.
        image: uint8 [28, 28], in MNIST form.
    """
    found = []
    for name, values in classifier.activations(image[None]).items():
        if name in _NO_LAYERS:
            continue
        maps = values[0].transpose(2, 0, 1) if values.ndim == 4 else values[0]
        found.append(
            {"name": name, "kind": name.rsplit("_", 1)[0], "shape": list(values.shape[1:]), **scaled(maps)}
        )
    return found


def occlusion(classifier: Classifier, image: np.ndarray) -> np.ndarray:
    """Compute how much the answer depends on each pixel.

    A square of background is moved over the image; the loss in the probability of the answer is the square's
    value, and a pixel's value is the mean over the squares that cover it.

    Args:
        classifier: classifier of the network.
        image: uint8 [28, 28], in MNIST form.

    Returns:
        Map, float32 [28, 28]: above 0 where ink speaks for the answer, below 0 where it speaks against it.

    Source:
        Occlusion sensitivity: Zeiler and Fergus 2014.
    """
    corners = [
        (top, left)
        for top in range(0, IMAGE_SIDE - PATCH + 1, STRIDE)
        for left in range(0, IMAGE_SIDE - PATCH + 1, STRIDE)
    ]
    images = np.repeat(image[None], len(corners) + 1, axis=0)  # the last stays uncovered
    for covered, (top, left) in zip(images, corners, strict=False):
        covered[top : top + PATCH, left : left + PATCH] = 0
    probabilities = classifier.calibrated(images)
    answer = probabilities[-1].argmax()
    lost = probabilities[-1, answer] - probabilities[:-1, answer]
    total, squares = (
        np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.float32),
        np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.float32),
    )
    for loss, (top, left) in zip(lost, corners, strict=True):
        total[top : top + PATCH, left : left + PATCH] += loss
        squares[top : top + PATCH, left : left + PATCH] += 1
    return total / squares
