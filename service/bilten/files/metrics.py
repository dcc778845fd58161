"""What a worker counts of files. In the worker's own registry, beside its jobs."""

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

from bilten.jobs.metrics import JOB_METRICS

if TYPE_CHECKING:
    from bilten.files.sweep import Found


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
        self.signatures_age = Gauge(
            "bilten_scanner_signatures_age_seconds",
            "How old the signatures are, where the engine says",
            registry=registry,
        )
        self._found = Gauge("bilten_files_sweep_found", "What the last sweep found", ("what",), registry=registry)

    def swept(self, found: "Found") -> None:
        """Tell the last sweep."""
        for what in ("orphans", "lost", "stuck", "unshown"):
            self._found.labels(what).set(len(getattr(found, what)))
        self._found.labels("abandoned").set(found.abandoned)


FILE_METRICS = FileMetrics()
