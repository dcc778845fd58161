"""A process that asks one address for as long as its input is open, then writes how long each answer took.

It is one that does nothing else, so that what it sees is not what the benchmark's own work makes it wait.
"""

import http.client
import select
import sys
import time
from urllib.parse import urlsplit

_PAUSE_S = 0.01


def main() -> None:
    """Ask `/livez` of the address in the arguments, on one connection."""
    connection = http.client.HTTPConnection(urlsplit(sys.argv[1]).netloc, timeout=30)
    taken_s = []
    while not select.select([sys.stdin], [], [], _PAUSE_S)[0]:
        began = time.perf_counter()
        connection.request("GET", "/livez")
        answer = connection.getresponse()
        answer.read()
        taken_s.append(time.perf_counter() - began)
        if answer.status != 200:
            sys.exit(f"/livez answered {answer.status}")
    sys.stdout.write("".join(f"{one}\n" for one in taken_s))


if __name__ == "__main__":
    main()
