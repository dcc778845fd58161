"""`bilten dev`, which `make up` runs: the API, its database, its object store and its worker on this machine."""

import argparse
import errno
import os
import sys
from pathlib import Path

import bilten
from bilten.local.family import Family
from bilten.local.home import Home
from bilten.local.problem import LocalError
from bilten.local.screen import Screen
from bilten.local.supervisor import Supervisor

PROJECT = Path(bilten.__file__).parents[2]


def port_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):  # noqa: PLR2004 - what a port is
        raise argparse.ArgumentTypeError(f"{text!r} is no port: write a number up to 65535, as in `make up PORT=3002`")
    return int(text)


def main(argv: list[str]) -> int:
    """Run until Ctrl-C. 1 and one sentence when something on this machine stands in the way."""
    parser = argparse.ArgumentParser(prog="bilten dev", description="Run all of Bilten on this machine.")
    port = os.environ.get("BILTEN_PORT") or "3001"
    parser.add_argument("--port", type=port_number, default=port, help="port of the API (default: %(default)s; 0: any)")
    parser.add_argument("--home", type=Path, default=PROJECT / ".bilten", help="folder of all data")
    parser.add_argument("--reset", action="store_true", help="remove all data instead")
    parser.add_argument("--end-with-parent", action="store_true", help="stop when the process that started this ends")
    options = parser.parse_args(argv)
    parent = os.getppid() if options.end_with_parent else None
    home = Home(options.home.absolute())
    try:
        with home.locked():
            if options.reset:
                with Family(home.records):  # ends what a killed supervisor and a killed guardian left behind
                    pass
                home.empty()
                sys.stdout.write(f"{home.folder} is empty.\n")
            else:
                home.require_space()
                supervisor = Supervisor(
                    home, Screen(), project=PROJECT, environ=os.environ, port=options.port, parent=parent
                )
                supervisor.run()
    except LocalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        if error.errno == errno.ENOSPC:
            sentence = f"The disk of {home.folder} is full: free some space, then run `make up` again."
        elif str(error.filename).startswith(str(home.folder)):
            sentence = f"{error.filename} cannot be used ({error.strerror}): make it yours with chown, or `make reset`."
        else:
            raise
        sys.stderr.write(f"{sentence}\n")
        return 1
    return 0
