"""Makes the virtual environment: `python3 service/bootstrap.py local|dev`.

Runs under whatever `python3` is, so its syntax is that of every Python 3: a Python too old for Bilten must get as far
as the sentence that says so. The work is in bilten/local/install.py, whose syntax need not be old.
"""

import os
import sys

NEEDED = (3, 11)

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def complaint(version, program):
    """Say in one sentence what is wrong with this Python; None when nothing is."""
    if tuple(version[:2]) >= NEEDED:
        return None
    return (
        "Bilten needs Python {}.{} or newer; this is {} ({}). "
        "Install a newer one and say which it is, for example: make up PYTHON=python3.12"
    ).format(NEEDED[0], NEEDED[1], ".".join(str(part) for part in version[:3]), program)


def main(argv):
    """Install what `argv` names. Returns the exit status."""
    problem = complaint(sys.version_info, sys.executable)
    environment = os.path.join(PROJECT, ".venv", "bin", "python")
    if problem and sys.prefix == sys.base_prefix and os.path.exists(environment):
        # Made with a newer Python before; it also knows how to bring itself up to date.
        os.execv(environment, [environment, os.path.abspath(__file__)] + argv)
    if problem:
        sys.stderr.write(problem + "\n")
        return 1
    sys.path.insert(0, os.path.join(PROJECT, "service"))
    from bilten.local import install

    return install.main(PROJECT, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
