"""The operator as a process, as its pod runs it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
from support.apiserver import Address

PATIENCE_S = 120

#: What it needs to start.
CONFIGURED = {"BILTEN_OPERATOR_MINIO_IMAGE": "quay.io/minio/minio:latest", "BILTEN_OPERATOR_CLAMAV_IMAGE": "clamav:1"}


#: As in its pod, where the user has no name.
AS_IN_A_POD = "import pwd, runpy; del pwd.getpwuid; runpy.run_module('bilten_operator', run_name='__main__')"
_NAMES = {"LOGNAME", "USER", "LNAME", "USERNAME"}


class Operator:
    """One process of it."""

    def __init__(self, folder: Path, address: Address, name: str, *, namespace: str, **settings: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        config = json.loads(Path(address.kubeconfig).read_text())
        config["clusters"][0]["cluster"]["server"] = settings.pop("server", address.url)
        kubeconfig = folder / f"{name}.kubeconfig"
        kubeconfig.write_text(json.dumps(config))
        told = {
            "KUBECONFIG": str(kubeconfig), "BILTEN_OPERATOR_HOST": "127.0.0.1", "BILTEN_OPERATOR_PORT": "0",
            "BILTEN_OPERATOR_NAMESPACE": namespace, "BILTEN_OPERATOR_WATCH_NAMESPACES": namespace,
            "BILTEN_OPERATOR_IDENTITY": name, "BILTEN_OPERATOR_LEASE_S": "6", **CONFIGURED,
            **{f"BILTEN_OPERATOR_{key.upper()}": value for key, value in settings.items()},
        }  # fmt: skip
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("BILTEN_", "KUBE"))}
        kept = {key: value for key, value in kept.items() if key not in _NAMES}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", AS_IN_A_POD], env={**kept, **told}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log,
            )  # fmt: skip

    def told(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line]

    def says(self, words: str) -> bool:
        """Whether it has logged this."""
        return any(words in line["message"] for line in self.told())

    async def until(self, words: str) -> None:
        """Wait until it has logged this."""
        await self.wait(lambda: self.says(words), words)

    async def wait(self, found: Callable[[], bool], what: str) -> None:
        """Wait until something is true; fails with the log when the process ends or it takes too long."""
        for _ in range(PATIENCE_S * 20):
            if found():
                return
            assert self.process.poll() is None, f"{self.name} ended before {what}:\n{self.log.read_text()}"
            await asyncio.sleep(0.05)
        raise AssertionError(f"{self.name}: not {what} within {PATIENCE_S} s:\n{self.log.read_text()}")

    @property
    def holds(self) -> bool:
        """Whether it ever held the Lease."""
        return self.says("holds the Lease")

    async def get(self, path: str) -> tuple[int, str]:
        """What it serves."""
        await self.until("Standing by")
        port = next(line["message"].split()[-1] for line in self.told() if "Standing by" in line["message"])
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
