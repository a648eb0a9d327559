"""Routes of the studies: reading, following one live, and, on this machine, starting and stopping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from digitlab.data.naming import locate
from digitlab.errors import SpecError
from digitlab.serving.openapi import errors, json_body
from digitlab.serving.refusals import RefusalError, busy, json_response
from digitlab.serving.security import REPORT_POLICY, is_owner, require_owner, require_token
from digitlab.serving.service import Service
from digitlab.serving.study_catalog import StudyCatalog
from digitlab.serving.study_events import StudyEvents
from digitlab.serving.study_identity import is_same_study
from digitlab.serving.study_orders import ORDER_SCHEMA, Order, examples, read_order
from digitlab.serving.study_runs import study_path, write_study
from digitlab.spec.library import collection_names, recipe_names, resolve_study, study_names
from digitlab.spec.recipe import ModelSpec, PythonModel, Recipe
from digitlab.spec.study import Study


def router(service: Service) -> APIRouter:
    """Create the routes of the studies."""
    routes = APIRouter(tags=["studies"])
    desk = StudyDesk(service)

    @routes.get("/api/studies", summary="List the studies", responses=errors(503))
    async def list_studies(request: Request) -> Response:
        return json_response({"runnable": is_owner(request, service.settings.owner_key), **await desk.list()})

    @routes.get("/api/studies/schema", summary="Show the JSON schema of a study", responses=errors(503))
    async def describe_study() -> Response:
        return json_response(await service.heavy.run(_form))

    @routes.get("/api/studies/{name}", summary="Show a study", responses=errors(404, 422, 503))
    async def show_study(name: str) -> Response:
        return json_response(await desk.detail(name))

    @routes.get(
        "/api/studies/{name}/events",
        summary="Stream the events of a study",
        responses={200: {"content": {"text/event-stream": {}}}, **errors(404, 503)},
        response_class=StreamingResponse,
    )
    async def follow_study(name: str) -> StreamingResponse:
        headers = {"Cache-Control": "no-store"}
        return StreamingResponse(await desk.follow(name), media_type="text/event-stream", headers=headers)

    @routes.get("/studies/{name}/report", summary="Show a study's report", include_in_schema=False)
    async def show_report(name: str) -> Response:
        headers = {"Content-Security-Policy": REPORT_POLICY, "Cache-Control": "no-cache"}
        return Response(await desk.report(name), headers=headers, media_type="text/html")

    @routes.post(
        "/api/studies",
        summary="Start a study",
        status_code=202,
        responses=errors(400, 403, 409, 413, 415, 422, 503),
        openapi_extra=json_body(ORDER_SCHEMA),
    )
    async def start_study(request: Request) -> Response:
        _require_owner(request, service)
        return _accepted(await desk.start(read_order(await service.read_json(request))))

    @routes.post(
        "/api/studies/{name}/stop", summary="Stop a study", status_code=202, responses=errors(403, 409, 422)
    )
    async def stop_study(name: str, request: Request) -> Response:
        _require_owner(request, service)
        service.runs.stop(name)
        return _accepted(name)

    @routes.post(
        "/api/studies/{name}/resume",
        summary="Resume a study",
        status_code=202,
        responses=errors(403, 404, 409, 422, 503),
    )
    async def resume_study(name: str, request: Request) -> Response:
        _require_owner(request, service)
        return _accepted(await desk.resume(name))

    return routes


def _require_owner(request: Request, service: Service) -> None:
    require_owner(request, service.settings.owner_key)
    require_token(request, service.token)


def _accepted(name: str) -> Response:
    return json_response({"name": name}, 202)


def _form() -> dict[str, Any]:
    return {
        "schema": Study.model_json_schema(),
        "examples": examples(),
        "recipes": list(recipe_names()),
        "collections": list(collection_names()),
    }


class StudyDesk:
    """Operations on studies: those in the library and the store, and the one that this service runs.

    Args:
        service: service that offers the studies.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._heavy = service.heavy
        self._runs = service.runs
        self._catalog = StudyCatalog(service.settings.store)
        self._streams = 0

    async def list(self) -> dict[str, Any]:
        """List all studies, as plain values."""
        studies = await self._heavy.run(self._catalog.list)
        store = self._catalog.store
        return {
            "running": self._runs.running,
            "store": str(store) if store.exists() else None,
            "studies": [self._annotated(study) for study in studies],
        }

    async def detail(self, name: str) -> dict[str, Any]:
        """Return all that is known of a study, as plain values; see `StudyCatalog.detail`."""
        return self._annotated(await self._heavy.run(self._catalog.detail, name))

    def _annotated(self, values: dict[str, Any]) -> dict[str, Any]:
        """Add what only this service knows: that it runs the study, or why the last run failed."""
        key = values["key"]
        here = {"state": "running"} if self._runs.running == key else {}
        return {**values, **here, "message": self._runs.messages.get(key)}

    async def report(self, name: str) -> bytes:
        """Read the report of a study.

        Raises:
            RefusalError: there is no such study, or it has no report.
        """
        await self._heavy.run(self._catalog.summary, name)
        path = await self._heavy.run(self._catalog.report, name)
        if path is None:
            raise RefusalError(404, f"study {name}: no report yet; it is written when the study ends")
        return await self._heavy.run(path.read_bytes)

    async def follow(self, name: str) -> AsyncIterator[str]:
        """Follow a study as server-sent events.

        Raises:
            RefusalError: no study has that name, or too many clients follow studies already.
        """
        await self._heavy.run(self._catalog.summary, name)
        if self._streams >= self._service.settings.limits.event_streams:
            raise busy("too many streams of events: close other pages")
        return self._counted(StudyEvents(self._service, self._catalog, name).stream())

    async def _counted(self, events: AsyncIterator[str]) -> AsyncIterator[str]:
        self._streams += 1
        try:
            async for event in events:
                yield event
        finally:
            self._streams -= 1

    async def start(self, order: Order) -> str:
        """Start a study, and return its name.

        Raises:
            RefusalError: another study is running, or has the same name.
        """
        if order.study is None:
            await self._runs.start(order.name, order.name, order.options)
            return order.name
        self._runs.require_idle()  # first: a study's file would be listed, and block its name
        await self._heavy.run(self._refuse_taken, order.study)
        path = await asyncio.to_thread(write_study, order.study, self._catalog.folder)
        await self._runs.start(order.name, str(path), order.options)
        return order.name

    def _refuse_taken(self, study: Study) -> None:
        """Raise if a study's name, or its file, belongs to another one; the number of seeds may differ."""
        path = study_path(study, self._catalog.folder)
        try:
            in_the_way = path.exists() and resolve_study(str(path)).name != study.name
        except SpecError:
            in_the_way = True  # the file is no study
        known = self._catalog.known(study.name)
        if in_the_way or any(_but_for_seeds(each) != _but_for_seeds(study) for each in known):
            raise RefusalError(
                409,
                f"name: expected a new name, received that of another study, {study.name!r}",
                field="name",
            )

    async def resume(self, key: str) -> str:
        """Resume a study as it was last run, and return its key.

        Raises:
            RefusalError: no study has that key, or another one is running.
        """
        await self._heavy.run(self._catalog.summary, key)
        plan = await self._heavy.run(self._catalog.plan, key)
        if plan is None:
            await self._begin(key)
            return key
        for recipe in (plan.recipe, *plan.recipes.values()):
            _refuse_user_code(recipe.model, plan.study.name)
        options = [f"--seeds={plan.study.seeds}", f"--first-seed={plan.study.first_seed}"]
        if plan.own_data is not None:
            options.append(f"--data={plan.study.data.dataset}")
        name = plan.study.name
        if name in study_names() and is_same_study(plan, resolve_study(name)):
            await self._runs.start(key, name, options)
            return key
        self._runs.require_idle()
        data = plan.own_study.data
        study = plan.own_study.model_copy(
            update={"data": data.model_copy(update={"dataset": locate(data.dataset)})}
        )
        # In a folder of its own: it may differ from the study that was described here under this name.
        path = await asyncio.to_thread(write_study, study, self._catalog.folder / "resumed")
        await self._runs.start(key, str(path), options)
        return key

    async def _begin(self, name: str) -> None:
        """Start a study that was never run: one of the library, or one that was described here."""
        place = await self._heavy.run(self._catalog.file, name)
        if place is not None:
            study = await self._heavy.run(resolve_study, str(place))
            if isinstance(study.recipe, Recipe):
                _refuse_user_code(study.recipe.model, name)
        await self._runs.start(name, name if place is None else str(place))


def _refuse_user_code(model: ModelSpec, study: str) -> None:
    """Raise if a study would run a user's own code: whoever reaches the service must not start it.

    Raises:
        RefusalError: the network is built by a user's own function.
    """
    if isinstance(model, PythonModel):
        raise RefusalError(
            422,
            f"study {study}: its network is built by a user's own code, which the service does not run: run  "
            f"digitlab study run {study}  on the command line",
        )


def _but_for_seeds(study: Study) -> Study:
    return study.model_copy(update={"seeds": 1})
