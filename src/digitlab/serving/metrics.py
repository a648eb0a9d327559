"""Counters and timings of the service, for Prometheus."""

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
    """The metrics of one service.

    Attributes:
        batch_images: histogram of the number of images that went through a network at once.
        rejections: counter of the requests answered 503 because a queue was full.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._known: dict[tuple[str, int], tuple[Counter, Histogram]] = {}  # faster than looking up labels
        self._requests = Counter(
            "digitlab_requests", "Requests answered.", ("endpoint", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "digitlab_request_seconds",
            "Seconds from a request's headers to the end of its response.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.batch_images = Histogram(
            "digitlab_batch_images",
            "Images in a batch of inference.",
            buckets=_IMAGES,
            registry=self._registry,
        )
        self.rejections = Counter(
            "digitlab_rejections",
            "Requests answered with 503 because a queue was full.",
            registry=self._registry,
        )
        self._refused = self._requests.labels("infer", "503")
        self._queue = Gauge(
            "digitlab_queue_images", "Images that wait for inference.", registry=self._registry
        )
        self._ready = Gauge("digitlab_ready", "1 if a prediction has succeeded.", registry=self._registry)

    def count(self, path: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            path: path of the request.
            status: status of the answer; 0 if there was none.
            seconds: time from the end of the request's headers to the end of the answer.
        """
        key = path, status
        if (found := self._known.get(key)) is None:
            endpoint = _endpoint(path)
            found = self._requests.labels(endpoint, str(status)), self._seconds.labels(endpoint)
            if status in _OFTEN and len(self._known) < _MOST_KNOWN:  # not 404: strangers make up paths
                self._known[key] = found
        requests, times = found
        requests.inc()
        times.observe(seconds)

    def count_refusal(self) -> None:
        """Count an inference that was refused without being parsed."""
        self.rejections.inc()
        self._refused.inc()

    def watch(self, queue: Callable[[], float], ready: Callable[[], float]) -> None:
        """Set the functions that return the queue's length and the readiness."""
        self._queue.set_function(queue)
        self._ready.set_function(ready)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._registry)


def _endpoint(path: str) -> str:
    """Return the endpoint of a path: one of a few names, since each becomes a label value that is kept."""
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
