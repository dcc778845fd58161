"""What the commands that run until they are told to stop do at their start."""

import subprocess
import sys

import pytest

_LOOK = """
import ctypes
from bilten import lifecycle
dumpable = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
before = dumpable()
lifecycle.hide_memory()
print(before, dumpable())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can hide a process from others of its user")
def test_a_process_with_secrets_can_hide_its_environment_and_memory():
    told = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["1", "0"]
