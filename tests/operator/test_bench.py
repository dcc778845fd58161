"""`make bench` in small, so that it still works when somebody wants its figures."""

from bench.fleet_rows import Sizes, measure
from fixtures import machine


async def test_the_benchmark_brings_instances_up_and_measures_them():
    machine.require("kubernetes")
    rows = await measure({"ready", "edits", "memory"}, Sizes(instances=3, edits=3, quiet_s=1, patience_s=60), None)
    assert [row.failed for row in rows] == ["", "", ""]
    assert all(row.figure for row in rows)
    assert "writes per instance" in rows[0].notes[0]
