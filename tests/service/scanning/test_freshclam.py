"""What the operator has freshclam do, with the real one: what it brings is loaded, and the service knows it."""

import asyncio
import getpass
import os
import re
import sys
from pathlib import Path

from aiohttp import web
from bilten.local.clamd import Clamd
from bilten.scanning import stamp
from bilten_operator.resources import scanner
from bilten_operator.resources.instance import Instance
from fixtures import machine
from fixtures.clamd import StartClamd, scanner_of
from support.scanned import chunks, version_other_than
from support.world import World, samples

#: As much of clamdscan as is asked of it, which not every machine has beside clamd.
CLAMDSCAN = f"""#!{sys.executable}
import clamd, sys
path = sys.argv[1].removeprefix("--config-file=")
lines = dict(line.split(None, 1) for line in open(path).read().splitlines())
assert sys.argv[2:] == ["--reload"] and clamd.ClamdUnixSocket(lines["LocalSocket"]).reload() == "RELOADING"
"""


def configured(folder: Path, server: Clamd, mirror: str) -> Path:
    """The operator's ConfigMap of an instance with a mirror, as files; freshclam.conf among them."""
    spec = {**samples()["development"], "scanner": {"mirror": mirror, "signatures": ["house.ndb"]}}
    made = scanner.configuration(Instance.read(World(spec).instance))["data"]
    there = {"/etc/bilten-clamav": folder, "/var/lib/clamav": server.signatures, "/run/clamav": server.socket.parent}
    folder.mkdir()
    for name, content in made.items():
        (folder / name).write_text(re.sub("|".join(there), lambda found: str(there[found[0]]), content))
    configuration = folder / "freshclam.conf"
    with configuration.open("a") as file:
        file.write(f"DatabaseOwner {getpass.getuser()}\n")
    program = folder / "clamdscan"
    program.write_text(CLAMDSCAN)
    program.chmod(0o755)
    return configuration


async def freshen(configuration: Path) -> None:
    path = f"{configuration.parent}{os.pathsep}{os.environ['PATH']}"
    command = ("freshclam", f"--config-file={configuration}", "--stdout")
    # As a pod's: nobody else can write there, and all can read it.
    running = await asyncio.create_subprocess_exec(
        *command, env={"PATH": path}, umask=0o022, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(running.communicate(), 60)
    assert running.returncode == 0, output.decode()


async def test_what_freshclam_brings_is_loaded_and_known_by_its_stamp(own_clamd: StartClamd, tmp_path: Path):
    machine.require("freshclam")
    server = own_clamd()
    client = scanner_of(server)
    seeded = await client.version()
    offered = tmp_path / "mirror" / "house.ndb"
    offered.parent.mkdir()
    app = web.Application()
    app.router.add_static("/", offered.parent)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        mirror = f"http://127.0.0.1:{runner.addresses[0][1]}"
        configuration = configured(tmp_path / "configuration", server, mirror)
        before = seeded
        for unwanted in (b"the first thing we do not want", b"the second thing we do not want"):
            offered.write_text(f"House.Unwanted:0:*:{unwanted.hex()}\n")
            later = offered.stat().st_mtime + 10  # than what was brought before it, by the second
            os.utime(offered, (later, later))
            await freshen(configuration)
            version = await version_other_than(server, before)
            assert (await scanner_of(server).scan(chunks(unwanted))).word == "infected"
            brought = (server.signatures / "house.ndb").stat().st_mtime
            assert version.made_at is not None
            assert version.made_at.timestamp() == int(brought)
            assert version.signatures not in (before.signatures, seeded.signatures)
            before = version
        os.utime(offered, (0, 0))  # nothing is new
        await freshen(configuration)
        assert await scanner_of(server).version() == before
    finally:
        await runner.cleanup()


def test_the_operator_stamps_with_the_bytes_that_the_service_asks_about():
    assert bytes.fromhex(scanner.PROBE) == stamp.PROBE
