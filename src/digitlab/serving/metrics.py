"""What the service counts and times, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_APIS = frozenset({"recognize", "look", "models", "compare", "studies", "kept"})
_MOST_KNOWN = 1000
_OFTEN = frozenset({200, 503})
_IMAGES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The figures of one service.

    Attributes:
        batch_images: images that went through a network at once.
        rejections: requests that were answered 503 because a queue was full.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._known: dict[tuple[str, int], tuple[Counter, Histogram]] = {}  # looking labels up takes longer
        self._requests = Counter(
            "digitlab_requests", "Requests answered.", ("endpoint", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "digitlab_request_seconds",
            "Seconds from a request's headers to the end of its answer.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.batch_images = Histogram(
            "digitlab_batch_images",
            "Images that went through a network at once.",
            buckets=_IMAGES,
            registry=self._registry,
        )
        self.rejections = Counter(
            "digitlab_rejections", "Requests answered 503 because a queue was full.", registry=self._registry
        )
        self._refused = self._requests.labels("infer", "503")
        self._queue = Gauge(
            "digitlab_queue_images", "Images that wait for a network.", registry=self._registry
        )
        self._ready = Gauge("digitlab_ready", "1 if a prediction has passed.", registry=self._registry)

    def count(self, path: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            path: that was asked for.
            status: of the answer; 0 if there was none.
            seconds: from the end of the request's headers to that of the answer.
        """
        key = path, status
        if (found := self._known.get(key)) is None:
            endpoint = _endpoint(path)
            found = self._requests.labels(endpoint, str(status)), self._seconds.labels(endpoint)
            if status in _OFTEN and len(self._known) < _MOST_KNOWN:  # no path that a stranger made up
                self._known[key] = found
        requests, times = found
        requests.inc()
        times.observe(seconds)

    def count_refusal(self) -> None:
        """Count an inference that was refused without being parsed."""
        self.rejections.inc()
        self._refused.inc()

    def watch(self, queue: Callable[[], float], ready: Callable[[], float]) -> None:
        """Say where the current values come from."""
        self._queue.set_function(queue)
        self._ready.set_function(ready)

    def text(self) -> bytes:
        """Write all figures in Prometheus's text format."""
        return generate_latest(self._registry)


def _endpoint(path: str) -> str:
    """The endpoint that a path belongs to: few enough for a label, whatever clients ask for."""
    match path.split("/")[1:]:
        case ["v2", "models", *_, "infer"]:
            return "infer"
        case ["v2", *_]:
            return "protocol"
        case ["api", name, *_] if name in _APIS:
            return name
        case ["static" | "docs", *_]:
            return "files"
    return "pages"
