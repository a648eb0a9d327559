"""The state of the service, shared by all its routes."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request

from digitlab.serving.bodies import Body, BodyRoom
from digitlab.serving.heavy import HeavyWork
from digitlab.serving.metrics import Metrics
from digitlab.serving.networks import Networks
from digitlab.serving.refusals import RefusalError
from digitlab.serving.security import HostNames
from digitlab.serving.settings import Settings, new_secret
from digitlab.serving.study_runs import StudyRuns


class Service:
    """The state of a running service.

    Args:
        settings: settings with which the service was started.

    Attributes:
        settings: settings with which the service was started.
        hosts: names under which it may be called.
        token: secret that its pages send with state-changing requests.
        metrics: metrics of all requests.
        bodies: memory for the bodies of all requests.
        networks: networks on offer.
        heavy: threads that read pictures and files.
        slow: thread for work that takes seconds.
        runs: study that this service runs, if any.
        stopping: whether the service was told to end.

    Raises:
        BundleError: the network with which it is started has no bundle.
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
        """Whether a prediction has passed and the service is not shutting down."""
        return self.networks.ready and not self.stopping

    async def close(self) -> None:
        """Stop the running study and the threads."""
        await self.runs.close()
        self.heavy.close()
        self.slow.close()
        self.networks.close()

    async def read_body(self, request: Request, limit: int) -> bytes:
        """Read the body of a route's request; its memory is freed when the request has ended.

        Raises:
            RefusalError: the body is too long, its compression is unknown or invalid, or the memory for all
                bodies is used up.
        """
        body: Body = request.scope["digitlab.body"]
        return await body.read(request.scope["headers"], request.receive, limit)

    async def read_json(self, request: Request) -> Any:
        """Read and parse the JSON body of a route's request.

        Raises:
            RefusalError: the body cannot be read (see `read_body`), or is not JSON.
        """
        content = await self.read_body(request, self.settings.limits.json_bytes)
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise RefusalError(400, f"expected a JSON body: {error}") from None
