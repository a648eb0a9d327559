"""Upload of a picture, as the body of a request or as the file of a form."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from digitlab.serving.refusals import RefusalError
from digitlab.serving.service import Service

_MOST_FIELDS = 8


@dataclass(frozen=True)
class Upload:
    """An uploaded file and the fields beside it.

    Attributes:
        content: bytes of the file, which need not be a picture.
        fields: other fields of the form, by name; empty where the file is the body itself.
    """

    content: bytes
    fields: Mapping[str, str] = field(default_factory=dict)


async def read_upload(service: Service, request: Request) -> Upload:
    """Read the file that a request uploads, and the other fields of its form.

    Args:
        service: service whose limits apply.
        request: request whose body is the file, or a multipart form with one file.

    Raises:
        RefusalError: the body is too long, or is a form that does not have exactly one file.
    """
    body = await service.read_body(request, service.settings.limits.picture_bytes)
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        return await _read_form(request, body)
    return Upload(body)


async def _read_form(request: Request, body: bytes) -> Upload:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers, stream(), max_files=_MOST_FIELDS, max_fields=_MOST_FIELDS, max_part_size=len(body)
    )
    parser.spool_max_size = len(body) + 1  # no temporary files: it is in memory already
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise RefusalError(400, f"expected a multipart form: {error}") from None
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if len(files) != 1:
            raise RefusalError(422, f"expected a form with one file, the picture; received {len(files)}")
        fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        return Upload(await files[0].read(), fields)
    finally:
        await form.close()
