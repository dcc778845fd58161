"""The supervisor's own loop."""

import os
import signal
import subprocess
import sys

#: Waits again and again while another process sends signals; SIGALRM ends it if a wait does not come back.
_LOOP = """
import os, queue, signal, subprocess, sys, time
from bilten.local.supervisor import Calls

def noted(number, frame):
    until = time.perf_counter() + 0.001
    while time.perf_counter() < until:
        pass

signal.signal(signal.SIGUSR1, noted)
storm = subprocess.Popen([sys.executable, "-c", f'''
import os, random, signal, time
for _ in range(1500):
    time.sleep(random.random() * 0.006)
    os.kill({os.getpid()}, signal.SIGUSR1)
'''])
calls = Calls()
while storm.poll() is None:
    signal.alarm(5)
    try:
        calls.get(timeout=0.003)
    except queue.Empty:
        pass
"""


def test_a_signal_in_the_last_moment_of_a_wait_does_not_hold_up_the_supervisor() -> None:
    found = subprocess.run([sys.executable, "-c", _LOOP], env=os.environ, check=False, timeout=60)
    assert found.returncode == 0, "a wait of 3 ms took 5 s" if found.returncode == -signal.SIGALRM else found
