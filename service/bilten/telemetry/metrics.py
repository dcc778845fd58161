"""Prometheus metrics of this process. Labels are bounded: a route is its template, a status its class."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

#: Seconds; dense where the API answers (milliseconds), reaching the frontend's own time-out of 10 s.
DURATION_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One registry with everything the process counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
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
        self.jobs = Counter(
            "bilten_jobs_total", "Jobs tried by this worker", ("kind", "outcome"), registry=self.registry
        )
        self.outbox_open = Gauge("bilten_outbox_open", "Jobs that are not done yet", registry=self.registry)
        self.outbox_dead = Gauge("bilten_outbox_dead", "Dead letters: jobs given up", registry=self.registry)
        self.outbox_oldest_age = Gauge(
            "bilten_outbox_oldest_age_seconds", "How long the longest-waiting job has been due", registry=self.registry
        )

    def observe_request(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one answer."""
        labels = (method if method in _METHODS else "other", route, f"{status // 100}xx")
        self._requests.labels(*labels).inc()
        self._durations.labels(*labels).observe(duration_s)

    def render(self) -> bytes:
        """The exposition text, format 0.0.4."""
        return generate_latest(self.registry)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

METRICS = Metrics()
