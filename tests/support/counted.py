"""The requests an API has counted. The counters are the process's: other tests of the worker are in them."""

from fixtures.api import Api
from prometheus_client.parser import text_string_to_metric_families


async def counted(api: Api) -> dict[tuple[str, str, str], float]:
    """Requests so far by method, route and status class."""
    exposition = (await api.get("//metrics")).text
    return {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name == "bilten_http_requests_total"
    }
