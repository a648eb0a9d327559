"""What the service is made of, shared by all its routes."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request

from digitlab.serving.bodies import Body, BodyRoom
from digitlab.serving.heavy import HeavyWork
from digitlab.serving.metrics import Metrics
from digitlab.serving.networks import Networks
from digitlab.serving.replies import RefusalError
from digitlab.serving.security import HostNames
from digitlab.serving.settings import Settings, new_secret
from digitlab.serving.study_runs import StudyRuns


class Service:
    """The state of a running service.

    Args:
        settings: with which it was started.

    Attributes:
        settings: with which it was started.
        hosts: names under which it may be called.
        token: that its pages send with what changes state.
        metrics: of all requests.
        bodies: room for those of all requests.
        networks: that answer.
        heavy: threads that read pictures and files.
        slow: the thread for what takes seconds.
        runs: the study that was started from here.
        stopping: whether it was told to end.

    Raises:
        BundleError: there is no bundle for the network it is started with.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.hosts = HostNames(settings.host, settings.allowed_hosts)
        self.token = new_secret()
        self.metrics = Metrics()
        self.bodies = BodyRoom(settings.limits.all_bodies_bytes)
        self.networks = Networks(settings, self.metrics)
        limits = settings.limits
        self.heavy = HeavyWork("picture", 2, limits.queue_pictures, self.metrics)
        self.slow = HeavyWork("comparison", 1, limits.queue_comparisons, self.metrics)
        self.runs = StudyRuns(settings.store)
        self.stopping = False
        self.metrics.watch(lambda: self.networks.waiting, lambda: self.ready)

    @property
    def ready(self) -> bool:
        """Whether a real prediction has passed, and the service does not end."""
        return self.networks.ready and not self.stopping

    async def close(self) -> None:
        """End what runs beside the requests."""
        await self.runs.close()
        self.heavy.close()
        self.slow.close()
        self.networks.close()

    async def read_body(self, request: Request, limit: int) -> bytes:
        """Read the body of a route's request; its room is free again when the request has ended.

        Raises:
            RefusalError: it is too long, or compressed in a way that is not known or not right.
        """
        body: Body = request.scope["digitlab.body"]
        return await body.read(request.scope["headers"], request.receive, limit)

    async def read_json(self, request: Request) -> Any:
        """Read the JSON body of a route's request.

        Raises:
            RefusalError: it is too long, or no JSON.
        """
        content = await self.read_body(request, self.settings.limits.json_bytes)
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise RefusalError(400, f"expected a JSON body: {error}") from None
