"""What a worker counts of files. In the worker's own registry, beside its jobs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram, Metric
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bilten.jobs.metrics import JOB_METRICS
from bilten.scanning.scanner import EngineVersion

if TYPE_CHECKING:
    from bilten.files.sweep import Found


class Signatures(Collector):
    """What looks at files, as it was when last asked. Only of now: one sample, however often they are renewed."""

    def __init__(self) -> None:
        self.current: EngineVersion | None = None
        #: How many old files are yet to be passed; None until the first walk has begun.
        self.left: int | None = None

    def collect(self) -> Iterator[Metric]:
        """The gauges, as far as the engine says."""
        current = self.current
        if current is None:
            return
        info = GaugeMetricFamily(
            "bilten_scanner_signatures_info", "1 for the signatures that are in use", labels=("engine", "signatures")
        )
        info.add_metric((current.engine, current.signatures), 1)
        yield info
        if current.made_at is not None:
            age_s = (datetime.now(UTC) - current.made_at).total_seconds()
            yield GaugeMetricFamily("bilten_scanner_signatures_age_seconds", "How old the signatures are", age_s)
        if self.left is not None:
            told = "Old files this worker has yet to pass on its way to those that the signatures have not seen"
            yield GaugeMetricFamily("bilten_files_rescan_left", told, self.left)


class FileMetrics:
    """Scans, bytes, the scanner's signatures, and what sweeps found."""

    def __init__(self) -> None:
        registry = JOB_METRICS.registry
        self.scan_seconds = Histogram(
            "bilten_scan_seconds", "From the first byte read to the verdict", registry=registry,
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 120),
        )  # fmt: skip
        self.verdicts = Counter("bilten_scan_verdicts_total", "Verdicts by word", ("word",), registry=registry)
        self.bytes = Counter("bilten_scanned_bytes_total", "Bytes that got a verdict", registry=registry)
        self.signatures = Signatures()
        registry.register(self.signatures)
        self._found = Gauge("bilten_files_sweep_found", "What the last sweep found", ("what",), registry=registry)

    def swept(self, found: "Found") -> None:
        """Tell the last sweep."""
        for what in ("orphans", "lost", "stuck", "unshown"):
            self._found.labels(what).set(len(getattr(found, what)))
        for what in ("abandoned", "partial"):
            self._found.labels(what).set(getattr(found, what))


FILE_METRICS = FileMetrics()
