"""A stamp is read strictly, and says the same of the same signatures."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bilten.scanning import stamp
from bilten.scanning.stamp import Stamp

GOOD = "Bilten.Signatures.1700000000.0123456789abcdef.UNOFFICIAL"


def filled(folder: Path, content: str = "one") -> Path:
    folder.mkdir(parents=True)
    for name in ("a.ndb", "b.hdb"):
        (folder / name).write_text(content)
        os.utime(folder / name, (0, 1_700_000_000 + len(name)))
    return folder


def written(folder: Path) -> str:
    stamp.write(folder)
    return (folder / stamp.FILE).read_text()


def test_a_stamp_says_which_signatures_and_of_when():
    assert stamp.read(GOOD) == Stamp("0123456789abcdef", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC))


def with_time(seconds: str) -> str:
    return GOOD.replace("1700000000", seconds)


@pytest.mark.parametrize(
    "name",
    [
        None, "", GOOD.removesuffix(".UNOFFICIAL"), GOOD.upper(), f"{GOOD}x", f"x{GOOD}", f"{GOOD}\n",
        with_time("17"), with_time("17000000000"), with_time("-170000000"), with_time("\uff11" * 10),
        GOOD.replace("abcdef", "abcdeg"), GOOD.replace("abcdef", "abcde"),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_stamp_is_none(name: str | None):
    assert stamp.read(name) is None


def test_a_stamp_is_of_the_newest_file_and_names_the_probe(tmp_path: Path):
    line = written(filled(tmp_path / "set"))
    name, rest = line.split(":", 1)
    assert name.startswith("Bilten.Signatures.1700000005.")
    assert rest == f"0:*:{stamp.PROBE.hex()}\n"


def test_the_same_signatures_have_the_same_stamp_wherever_they_lie(tmp_path: Path):
    first, second = written(filled(tmp_path / "first")), written(filled(tmp_path / "second"))
    assert first == second == written(tmp_path / "first")


def test_other_signatures_have_another_stamp(tmp_path: Path):
    assert written(filled(tmp_path / "one")) != written(filled(tmp_path / "two", "two"))


def test_no_signatures_have_no_stamp(tmp_path: Path):
    stamp.write(tmp_path)
    assert not list(tmp_path.iterdir())
