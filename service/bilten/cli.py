"""`bilten`: one program, one word for each of its jobs. Only the module of the word that was given is imported."""

import importlib
import sys

COMMANDS = {
    "serve": ("bilten.serve", "serve the API"),
    "worker": ("bilten.work", "do the jobs of the outbox: mails and chores"),
    "dev": ("bilten.local.dev", "all of it on this machine, with a database and an object store"),
    "migrate": ("bilten.db.migrations", "bring the database's schema to a revision"),
    "seed": ("bilten.db.seeds", "insert the sample accounts, events and articles"),
    "jobs": ("bilten.jobs.admin", "show jobs and dead letters, retry them"),
    "files": ("bilten.files.admin", "sweep the buckets, verify them, have files scanned again"),
    "openapi": ("bilten.describe", "print the OpenAPI document"),
    "settings": ("bilten.describe_settings", "print the table of settings"),
}


def usage() -> str:
    """What may be typed."""
    lines = [f"  bilten {name:<9} {purpose}" for name, (_, purpose) in COMMANDS.items()]
    return "\n".join(["usage: bilten COMMAND [options]", "", *lines, "", "bilten COMMAND --help says more.", ""])


def main() -> int:
    """Run the command named first on the command line and return its exit status."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(usage())
        return 0
    module = COMMANDS.get(arguments[0])
    if module is None:
        sys.stderr.write(f"bilten: there is no command {arguments[0]!r}.\n\n{usage()}")
        return 2
    status: int = importlib.import_module(module[0]).main(arguments[1:])
    return status
