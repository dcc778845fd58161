"""What the operator counts, for Prometheus. Nothing here is labelled by instance; the conditions are: see cluster."""

from prometheus_client import Counter, Gauge, Histogram

API_CALLS = Counter(
    "bilten_operator_api_calls_total", "Calls to the API server by verb, kind and status.", ["verb", "kind", "status"]
)
API_SECONDS = Histogram(
    "bilten_operator_api_call_seconds", "Seconds that a call to the API server took, retries apart.", ["verb"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)  # fmt: skip
RECONCILE_SECONDS = Histogram(
    "bilten_operator_reconcile_seconds", "Seconds from taking an instance up to having written all there was to write.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)  # fmt: skip
RECONCILES = Counter("bilten_operator_reconciles_total", "Reconciliations by outcome.", ["outcome"])
WRITES = Counter("bilten_operator_writes_total", "Objects written, by kind and verb.", ["kind", "verb"])
QUEUE_WAITING = Gauge("bilten_operator_queue_waiting", "Instances that are due and wait for a free worker.")
QUEUE_SECONDS = Histogram(
    "bilten_operator_queue_seconds", "Seconds that an instance was due before a worker took it.",
    buckets=(0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)  # fmt: skip
LEADER = Gauge("bilten_operator_leader", "1 while this process holds the Lease.")
EVENT_AGE = Gauge(
    "bilten_operator_watch_age_seconds", "Seconds since the quietest watch last said anything, bookmarks included."
)
INSTANCES = Gauge("bilten_operator_instances", "Instances that this process knows.")
