"""A study followed live: server-sent events, made from what the store tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from digitlab.serving.replies import RefusalError, encode
from digitlab.serving.service import Service
from digitlab.serving.study_shelf import StudyShelf

LOOK_SECONDS = 0.5
"""From one look at the store's files to the next."""
READ_SECONDS = 5.0
"""After which the store is read again even if its files are the same: a runner may have been killed."""
BEAT_SECONDS = 15.0
"""After which a silent stream says that it is alive, so that nothing between closes it."""

_COUNTS = ("state", "done", "failed", "total")

Ended = list[tuple[str, str, dict[str, Any]]]


class StudyEvents:
    """What one client is told of one study.

    Args:
        service: that may run it.
        shelf: from which it is read.
        name: of the study or the collection.
    """

    def __init__(self, service: Service, shelf: StudyShelf, name: str) -> None:
        self._service = service
        self._runs = service.runs
        self._shelf = shelf
        self._name = name
        self._told: dict[str, str] = {}  # how each trial ended, by id
        self._progress: dict[str, Any] = {}

    async def stream(self) -> AsyncIterator[str]:
        """Tell everything so far, then what changes, until nobody runs the study any more."""
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
            return []  # busy: the next look will do
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
