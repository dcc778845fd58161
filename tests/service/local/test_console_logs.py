"""What a developer reads on a terminal instead of JSON: the same events, and no secret in them either."""

import json
import re
from pathlib import Path

import pytest
from support.jobs import until, worker_process


@pytest.mark.parametrize("log_format", ["console", "auto"])
async def test_logs_are_for_eyes_where_that_is_asked_for_and_else_for_machines(tmp_path: Path, log_format: str):
    log = tmp_path / "worker.log"
    async with worker_process("postgresql://me:se-cret@127.0.0.1:1/none", log, BILTEN_LOG_FORMAT=log_format):
        await until(lambda: "database_away" in log.read_text())
    lines = log.read_text().splitlines()
    assert "se-cret" not in log.read_text()
    if log_format == "console":
        assert any(re.match(r"\d\d:\d\d:\d\d \[info +\] worker_started", line) for line in lines)
        away = next(line for line in lines if "database_away" in line)
        assert re.match(r"\d\d:\d\d:\d\d \[warning +\] database_away .*hint='The worker waits", away)
        assert "\x1b" not in log.read_text()
    else:
        events = [json.loads(line)["event"] for line in lines]
        assert events.index("worker_started") < events.index("database_away")
