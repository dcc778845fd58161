"""Prometheus metrics of the API. Labels are bounded: a route is its template, a status its class.

Each process exposes only what it measures itself: the worker's are in bilten.jobs.metrics.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

#: Seconds; dense where the API answers (milliseconds), reaching the frontend's own time-out of 10 s.
DURATION_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def process_registry() -> CollectorRegistry:
    """A registry with what any process tells of itself: memory, processor time, open files, its Python."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


class Metrics:
    """One registry with everything the API counts."""

    def __init__(self) -> None:
        self.registry = process_registry()
        labels = ("method", "route", "status")
        self._requests = Counter("bilten_http_requests_total", "Requests answered", labels, registry=self.registry)
        self._durations = Histogram(
            "bilten_http_request_duration_seconds",
            "Time from the request's headers to its answer",
            labels,
            buckets=DURATION_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge("bilten_http_requests_in_flight", "Requests being answered", registry=self.registry)
        self.spool_bytes = Gauge(
            "bilten_upload_spool_bytes", "Bytes of the spool that uploads under way hold", registry=self.registry
        )

    def observe_request(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one answer."""
        labels = (method if method in _METHODS else "other", route, f"{status // 100}xx")
        self._requests.labels(*labels).inc()
        self._durations.labels(*labels).observe(duration_s)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

METRICS = Metrics()
