"""The script that stamps signatures, run as the init container and freshclam run it."""

import os
import subprocess
from pathlib import Path

import pytest
from bilten_operator.resources import scanner, uploads
from bilten_operator.resources.instance import Instance
from support.world import World, samples

DEVELOPMENT = samples()["development"]
STAMP = "bilten-stamp.ndb"


def instance(**spec: object) -> Instance:
    return Instance.read(World({**DEVELOPMENT, **spec}).instance)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "stamp.sh"
    path.write_text(scanner.configuration(instance())["data"]["stamp.sh"])
    return path


@pytest.fixture
def signatures(tmp_path: Path) -> Path:
    folder = tmp_path / "signatures"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, content: str = "one", made_at: int = 1_700_000_000) -> None:
    (folder / name).write_text(content)
    os.utime(folder / name, (made_at, made_at))


def stamped(script: Path, folder: Path) -> str:
    subprocess.run(["sh", script, folder], check=True, capture_output=True)
    return (folder / STAMP).read_text() if (folder / STAMP).exists() else ""


def test_a_stamp_has_the_time_of_the_newest_file_and_finds_the_probe(script: Path, signatures: Path):
    put(signatures, "a.ndb")
    put(signatures, "with a space.hdb", made_at=1_700_000_009)
    name, _, finds = stamped(script, signatures).partition(":")
    assert name.startswith("Bilten.Signatures.1700000009.")
    assert finds == f"0:*:{scanner.PROBE}\n"


def test_a_stamp_changes_with_the_signatures_and_with_nothing_else(script: Path, signatures: Path):
    put(signatures, "a.ndb")
    first = stamped(script, signatures)
    put(signatures, "freshclam.dat", "what freshclam remembers")
    put(signatures, ".half.ndb.new")
    (signatures / "tmp.1234").mkdir()
    assert stamped(script, signatures) == first
    put(signatures, "a.ndb", "two")
    assert stamped(script, signatures) != first


def test_clamd_never_starts_with_a_stamp_alone(script: Path, signatures: Path):
    assert stamped(script, signatures) == ""
    put(signatures, "a.ndb")
    assert stamped(script, signatures) != ""
    (signatures / "a.ndb").unlink()
    assert stamped(script, signatures) == ""
    assert not list(signatures.iterdir())


@pytest.mark.parametrize("there", [True, False], ids=["with signatures", "with none"])
def test_the_image_s_signatures_are_copied_with_their_times_and_stamped(script: Path, tmp_path: Path, *, there: bool):
    image, volume = tmp_path / "image", tmp_path / "volume"
    for folder in (image, volume):
        folder.mkdir()
    if there:
        put(image, "a.ndb")
    command = scanner.seed(World(DEVELOPMENT).operator)["command"]
    places = {"/var/lib/clamav": image, "/signatures": volume, "/etc/bilten-clamav": script.parent}
    for inside, outside in places.items():
        command[-1] = command[-1].replace(inside, str(outside))
    subprocess.run(command, check=True, capture_output=True)
    if there:
        assert "Bilten.Signatures.1700000000." in (volume / STAMP).read_text()
    else:
        assert not list(volume.iterdir())


def test_freshclam_leaves_it_to_the_stamp_to_have_signatures_loaded():
    lines = scanner.configuration(instance())["data"]["freshclam.conf"].splitlines()
    assert not [line for line in lines if line.startswith("NotifyClamd")]
    assert [line for line in lines if line.startswith("OnUpdateExecute ")] == [
        "OnUpdateExecute sh /etc/bilten-clamav/stamp.sh /var/lib/clamav /etc/bilten-clamav/clamd.conf"
    ]


@pytest.mark.parametrize(("scans", "threads", "room"), [(None, 10, "5064Mi"), (20, 22, "11064Mi")])
def test_clamd_has_a_thread_for_each_scan_of_a_worker_and_room_for_what_each_unpacks(
    scans: int | None, threads: int, room: str
):
    made = instance(**({"config": {"clamdConcurrency": scans}} if scans else {}))
    lines = scanner.configuration(made)["data"]["clamd.conf"].splitlines()
    assert {f"MaxThreads {threads}", "StreamMaxLength 100M", "MaxFileSize 100M", "MaxScanSize 400M"} <= set(lines)
    assert uploads.scanner_room(made) == room
