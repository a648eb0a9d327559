"""Server-sent events that follow a study live, made from the contents of the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from digitlab.serving.refusals import RefusalError, encode
from digitlab.serving.service import Service
from digitlab.serving.study_catalog import StudyCatalog

LOOK_SECONDS = 0.5
"""Seconds between two checks of the store's files."""
READ_SECONDS = 5.0
"""Seconds after which the store is read even if its files are the same: a runner may have been killed."""
BEAT_SECONDS = 15.0
"""Seconds after which a silent stream sends a comment, so that no proxy closes the connection."""

_COUNTS = ("state", "done", "failed", "total")

Ended = list[tuple[str, str, dict[str, Any]]]


class StudyEvents:
    """Stream of one study's events to one client.

    Args:
        service: service that may run the study.
        shelf: reader of the studies.
        name: name of the study or the collection.
    """

    def __init__(self, service: Service, shelf: StudyCatalog, name: str) -> None:
        self._service = service
        self._runs = service.runs
        self._shelf = shelf
        self._name = name
        self._told: dict[str, str] = {}  # state of each trial that was sent, by id
        self._progress: dict[str, Any] = {}

    async def stream(self) -> AsyncIterator[str]:
        """Yield everything so far, then what changes, until nobody runs the study any more."""
        seen: object = None
        since_read = since_said = 0.0
        while not self._service.stopping:
            now = self._shelf.signature(), self._runs.running
            if now != seen or since_read >= READ_SECONDS:
                seen, since_read = now, 0.0
                for event in await self._news():
                    since_said = 0.0
                    yield event
                if self._progress.get("state", "running") != "running":
                    yield _event("end", await self._end())
                    return
            elif since_said >= BEAT_SECONDS:
                since_said = 0.0
                yield ": still here\n\n"
            await asyncio.sleep(LOOK_SECONDS)
            since_read += LOOK_SECONDS
            since_said += LOOK_SECONDS

    async def _news(self) -> list[str]:
        try:
            progress, ended = await self._service.heavy.run(self._look)
        except RefusalError as error:
            if error.status != 503:
                raise
            return []  # busy: the next check will do
        if self._runs.running == self._name:
            progress["state"] = "running"
        events = [_event("trial", values) for _, _, values in ended]
        self._told |= {trial: state for trial, state, _ in ended}
        if progress != self._progress:
            self._progress = progress
            events.append(_event("progress", progress))
        return events

    def _look(self) -> tuple[dict[str, Any], Ended]:
        view = self._shelf.view(self._name)
        if view is not None:
            return view.progress(), list(view.ended(self._told))
        summary = self._shelf.summary(self._name)
        counts = {key: summary[key] for key in _COUNTS}
        return {**counts, "best": None, "seconds_left": None, "curves": []}, []

    async def _end(self) -> dict[str, Any]:
        summary = await self._service.heavy.run(self._shelf.summary, self._name)
        message = self._runs.messages.get(self._name)
        return {"state": self._progress["state"], "report": summary["report"], "message": message}


def _event(name: str, values: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {encode(values).decode()}\n\n"
