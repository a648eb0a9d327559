"""The route that reads the digits in a picture, with the steps on request."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from digitlab.bundle.runtime import Classifier
from digitlab.pictures.decoder import decode_pages
from digitlab.recognition import ReadDigit, Reading, Recognizer
from digitlab.recognition.explain import encode_png
from digitlab.recognition.lengths import LengthError, LengthRange
from digitlab.serving.openapi import READ_BODY, READING, errors
from digitlab.serving.pictures import data_url
from digitlab.serving.refusals import RefusalError, json_response
from digitlab.serving.service import Service
from digitlab.serving.uploads import Upload, read_upload

MOST_MODELS = 8
"""Largest number of further networks in one request."""

ModelName = Annotated[
    str | None, Query(description="Id of the network to use.", max_length=300, examples=["best"])
]


def router(service: Service) -> APIRouter:
    """Create the route that reads pictures."""
    routes = APIRouter(prefix="/api", tags=["pictures"])

    @routes.post(
        "/recognize",
        summary="Recognize the digits in a picture",
        responses={200: READING, **errors(400, 404, 408, 413, 415, 422, 503)},
        openapi_extra=READ_BODY,
    )
    async def recognize(
        request: Request,
        model: ModelName = None,
        steps: Annotated[bool, Query(description="Return the images of preprocessing, too.")] = False,
        models: Annotated[
            str, Query(description="Ids of networks whose predictions to return, too.", max_length=3000)
        ] = "",
        length: Annotated[
            str | None,
            Query(
                description="Number of digits in each row, if known: 5, 3-8, 3- or -8. May also "
                "be a field of the form.",
                max_length=40,
                examples=["5"],
            ),
        ] = None,
    ) -> Response:
        began = time.perf_counter()
        names = [name for name in models.split(",") if name]
        if len(names) > MOST_MODELS:
            raise RefusalError(422, f"models: expected at most {MOST_MODELS}, received {len(names)}")
        network = await service.networks.get(model)
        others = {name: (await service.networks.get(name)).classifier for name in names}
        upload = await read_upload(service, request)
        lengths = _lengths(length, upload)
        values = await service.heavy.run(read, network.recognizer, upload.content, steps, others, lengths)
        return json_response(
            {**values, "model": network.entry.id, "seconds": round(time.perf_counter() - began, 4)}
        )

    return routes


def _lengths(asked: str | None, upload: Upload) -> LengthRange | None:
    """Return the number of digits in a row, from the query or the form; an empty field counts as none."""
    said = {text for text in (asked, upload.fields.get("length")) if text and text.strip()}
    if len(said) > 1:
        raise RefusalError(422, "length: expected one value, received different ones in form and query")
    try:
        return LengthRange.parse(said.pop()) if said else None
    except LengthError as error:
        raise RefusalError(422, str(error)) from None


def read(
    recognizer: Recognizer,
    content: bytes,
    steps: bool,
    others: Mapping[str, Classifier],
    lengths: LengthRange | None = None,
) -> dict[str, Any]:
    """Read a picture and return plain values, as `digitlab recognize --json` prints them.

    Args:
        recognizer: recognizer that reads the picture.
        content: bytes of the picture file.
        steps: whether to return the pictures of the preparation and of the digits, too.
        others: further networks by id, whose answers are added to each digit.
        lengths: number of digits in each row; None if it is unknown.

    Raises:
        ImageError: the file is not a readable picture.
    """
    pages = decode_pages(content)
    reading = recognizer.read(pages, explain=steps, lengths=lengths)
    height, width = pages[0].grey.shape
    values = {**reading.to_values(), "size": [width, height], "pages": len(pages)}
    if steps:
        values["steps"] = [
            {"name": step.name, "image": data_url(encode_png(step.image))} for step in reading.steps
        ]
        for digit, shown in zip(reading.digits, values["digits"], strict=True):
            shown["image"] = picture_of(digit)
    if others:
        _add_answers(reading, values["digits"], others)
    return values


def picture_of(digit: ReadDigit) -> str:
    """Return the image of a digit, as the network receives it, as a data URL."""
    return data_url(encode_png(digit.image))


def _add_answers(reading: Reading, shown: list[dict[str, Any]], others: Mapping[str, Classifier]) -> None:
    images = np.array([digit.image for digit in reading.digits], np.uint8).reshape(-1, 28, 28)
    answers = {name: classifier.calibrated(images) for name, classifier in others.items()}
    for place, values in enumerate(shown):
        values["answers"] = {name: _answer(rows[place]) for name, rows in answers.items()}


def _answer(probabilities: np.ndarray) -> dict[str, Any]:
    digit = int(probabilities.argmax())
    return {"digit": digit, "confidence": probabilities[digit], "probabilities": probabilities}
