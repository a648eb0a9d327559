"""Corrected drawings, kept on this machine with consent, in the layout that `digitlab data import` reads."""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response

from digitlab.data.classes import DIGITS
from digitlab.files import whole_file
from digitlab.pictures.decoder import decode_image
from digitlab.serving.openapi import errors, json_body
from digitlab.serving.pictures import PNG_URL
from digitlab.serving.refusals import RefusalError, json_response
from digitlab.serving.security import require_token
from digitlab.serving.service import Service

MOST_KEPT = 10_000

_BODY = {
    "type": "object",
    "properties": {
        "label": {"type": "integer", "minimum": 0, "maximum": 9, "description": "The correct digit."},
        "image": {"type": "string", "description": "Its 28x28 picture, a PNG as a data: URL."},
        "consent": {"const": True, "description": "Consent of its author to saving it on this machine."},
    },
    "required": ["label", "image", "consent"],
}


class KeptDrawings:
    """Folder with a subfolder for each digit 0..9 and a PNG file for each drawing.

    Args:
        folder: path of the folder; it is created when the first drawing is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()  # the same drawing may come twice at once

    def counts(self) -> list[int]:
        """Count the drawings of each digit."""
        return [sum(1 for _ in (self.folder / name).glob("*.png")) for name in DIGITS]

    def keep(self, label: int, image: np.ndarray) -> tuple[Path, bool]:
        """Save a drawing, unless it has been saved already.

        Args:
            label: the digit that was meant, 0..9.
            image: uint8 [28, 28], white ink on black.

        Returns:
            The file's path, and whether it is new.

        Raises:
            RefusalError: the folder is full.
            OutputError: the file cannot be written.
        """
        with self._lock:
            return self._keep(label, image)

    def _keep(self, label: int, image: np.ndarray) -> tuple[Path, bool]:
        from digitlab.recognition.explain import encode_png

        path = self.folder / str(label) / f"{hashlib.sha256(image.tobytes()).hexdigest()[:16]}.png"
        if path.exists():
            return path, False
        if sum(self.counts()) >= MOST_KEPT:
            raise RefusalError(409, f"{self.folder} holds {MOST_KEPT:,} drawings: import them and empty it")
        with whole_file(path) as draft:
            for name in DIGITS:  # the import expects all ten
                (self.folder / name).mkdir(exist_ok=True)
            draft.write_bytes(encode_png(image))
        return path, True


def router(service: Service) -> APIRouter:
    """Create the routes of the kept drawings."""
    routes = APIRouter(prefix="/api/kept", tags=["drawings"])
    drawings = KeptDrawings(service.settings.workspace.drawings)

    @routes.get("", summary="Count the saved drawings", responses=errors(503))
    async def count_drawings() -> Response:
        counts = await service.heavy.run(drawings.counts)
        return json_response({"folder": str(drawings.folder), "count": sum(counts), "counts": counts})

    @routes.post(
        "",
        summary="Save a corrected drawing on this machine",
        status_code=201,
        responses={
            200: {"description": "It was already saved."},
            **errors(400, 403, 409, 413, 415, 422, 503),
        },
        openapi_extra=json_body(_BODY),
    )
    async def keep_drawing(request: Request) -> Response:
        require_token(request, service.token)
        values = await service.read_json(request)
        label, image = _asked(values)
        path, new = await service.heavy.run(lambda: drawings.keep(label, _picture(image)))
        count = sum(await service.heavy.run(drawings.counts))
        return json_response({"path": str(path), "count": count}, 201 if new else 200)

    return routes


def _asked(values: Any) -> tuple[int, str]:
    match values:
        case {"consent": True, "label": int(label), "image": str(image)} if (
            type(label) is int and 0 <= label <= 9
        ):
            return label, image
        case {"consent": consent} if consent is not True:
            raise RefusalError(
                422, "consent: expected true: a drawing is saved only with its author's consent"
            )
    raise RefusalError(422, 'expected {"label": 0..9, "image": "data:image/png;base64,...", "consent": true}')


def _picture(url: str) -> np.ndarray:
    try:
        data = base64.b64decode(url.removeprefix(PNG_URL), validate=True)
    except (binascii.Error, ValueError):
        raise RefusalError(422, f"image: expected a PNG file as {PNG_URL}...") from None
    picture = decode_image(data)
    if picture.grey.shape != (28, 28) or picture.alpha is not None:
        raise RefusalError(422, "image: expected the 28x28 opaque picture of one digit")
    return picture.grey
