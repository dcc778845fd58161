"""Prometheus metrics of a worker: how the jobs it tried ended, and how much waits in the outbox."""

from collections.abc import Iterator

from prometheus_client import Counter, Metric
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bilten.jobs.queries import Backlog
from bilten.telemetry.metrics import process_registry


class Outbox(Collector):
    """The outbox as it was when last looked at. Unknown, it is left out: a 0 would say that nothing waits."""

    def __init__(self) -> None:
        self.backlog: Backlog | None = None

    def collect(self) -> Iterator[Metric]:
        """The gauges, if there is anything to show."""
        if self.backlog is None:
            return
        yield GaugeMetricFamily("bilten_outbox_open", "Jobs that are not done yet", self.backlog.open)
        yield GaugeMetricFamily("bilten_outbox_dead", "Dead letters: jobs given up", self.backlog.dead)
        yield GaugeMetricFamily(
            "bilten_outbox_oldest_age_seconds",
            "How long the longest-waiting job has been due",
            self.backlog.oldest_age_s,
        )


class JobMetrics:
    """One registry with everything a worker measures."""

    def __init__(self) -> None:
        self.registry = process_registry()
        self.outbox = Outbox()
        self.registry.register(self.outbox)
        self._tried = Counter(
            "bilten_jobs_total", "Jobs tried by this worker", ("kind", "outcome"), registry=self.registry
        )

    def count(self, kind: str, outcome: str) -> None:
        """Count one run of a job."""
        self._tried.labels(kind, outcome).inc()


JOB_METRICS = JobMetrics()
