"""The web pages and their static files; nothing is fetched from other hosts."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from digitlab import __version__
from digitlab.serving.security import DOCS_POLICY, KEY, is_owner, welcome
from digitlab.serving.service import Service

PAGES = {"draw": "/", "look": "/look", "studies": "/studies", "models": "/models"}

STATIC = Path(__file__).parent / "static"

_SMALLEST_COMPRESSED = 1000  # bytes

_DOCS = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>digitlab: API</title>
<link rel="stylesheet" href="/docs/files/swagger-ui.css">
<link rel="icon" href="/favicon.ico">
<div id="swagger-ui"></div>
<script src="/docs/files/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""
_START_DOCS = """SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", validatorUrl: null });
"""


class FreshFiles(StaticFiles):
    """Static files that browsers cache but revalidate each time, so that an upgrade shows at once."""

    def file_response(self, *arguments: Any, **keywords: Any) -> Response:
        """Return the response with a file, or 304 if the browser has it."""
        response = super().file_response(*arguments, **keywords)
        response.headers["cache-control"] = "no-cache"
        return response


def mount_files(web: FastAPI) -> None:
    """Serve the files of the pages and of the API's documentation."""
    offline = Path(str(files("fastapi_offline"))) / "static"
    for path, folder in (("/static", STATIC), ("/docs/files", offline)):
        web.mount(path, GZipMiddleware(FreshFiles(directory=folder), minimum_size=_SMALLEST_COMPRESSED))


def router(service: Service) -> APIRouter:
    """Create the routes of the pages."""
    routes = APIRouter(include_in_schema=False)
    for page, path in PAGES.items():
        routes.add_api_route(path, _page(service, page), methods=["GET"])

    @routes.get("/favicon.ico")
    def icon() -> Response:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    @routes.get("/docs")
    def docs() -> Response:
        return HTMLResponse(_DOCS, headers={"Content-Security-Policy": DOCS_POLICY})

    @routes.get("/docs/start.js")
    def start_docs() -> Response:
        return Response(_START_DOCS, media_type="text/javascript")

    return routes


def _page(service: Service, page: str):
    key = service.settings.owner_key

    def show(request: Request) -> Response:
        if KEY in request.query_params:
            return welcome(request, key)
        html = (
            _templates()
            .get_template(f"{page}.html")
            .render(page=page, version=__version__, token=service.token, owner=is_owner(request, key))
        )
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})

    return show


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("digitlab.serving"), autoescape=True, undefined=StrictUndefined)
